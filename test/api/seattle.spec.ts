import assert from 'node:assert/strict';
import { readText } from '../structure/workspace.ts';
import { declarations } from './declared.ts';

/** What programs of Seattle could call, generation by generation. */
const FIRST = `gethostbyname_ex getmyip recvmess sendmess openconn waitforconn stopcomm socket.recv socket.send socket.close
  socket.willblock open file file.read file.readline file.readlines file.next file.write file.writelines file.seek
  file.flush file.close listdir removefile settimer canceltimer sleep getruntime randomfloat getlock lock.acquire lock.release
  exitall get_thread_name VirtualNamespace print mycontext callfunc callargs`;
const SECOND = `gethostbyname getmyip sendmessage listenformessage udp.getmessage udp.close openconnection listenforconnection
  tcps.getconnection tcps.close sock.send sock.recv sock.close openfile file.readat file.writeat file.close listfiles
  removefile createlock lock.acquire lock.release createthread sleep getthreadname log getruntime randombytes exitall
  createvirtualnamespace virtualnamespace.evaluate getresources getlasterror`;

const words = (text: string): string[] => text.split(/\s+/);
const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** The rows of a table: names there, names here. */
function rowsOf(title: string): { there: string[]; here: string[] }[] {
  const section = readText('docs/from-seattle.md').split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [, there, here] = row.split('|');
    return { there: namesIn(there), here: namesIn(here) };
  });
}

describe('docs/from-seattle.md', () => {
  for (const [title, names] of [
    ['The first generation', FIRST],
    ['The second generation', SECOND],
  ] as const) {
    it(`has each call of ${title.toLowerCase()} once and no other, and leads to calls that there are`, () => {
      const rows = rowsOf(title);
      assert.deepEqual(rows.flatMap((row) => row.there).toSorted(), words(names).toSorted());
      const known = new Set(
        declarations.flatMap(({ name, members }) => [name, ...members.map((member) => `${name}.${member.name}`)]),
      );
      assert.deepEqual(
        rows.flatMap((row) => row.here).filter((name) => !known.has(name)),
        [],
      );
      assert.deepEqual(
        rows.filter(({ here }) => here.length === 0),
        [],
      );
    });
  }
});
