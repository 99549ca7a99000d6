import type { KeyId } from '@potluck/protocol';
import type { Lie, Peer } from '../../clearinghouse-web/test/support/peer.ts';

/** What must be seen as it is, wherever somebody can say it. Each would leave an element of the class `pwned`, or run. */
export const MARKUP = '<img class=pwned src=no onerror=pwned=1>';
export const ESCAPE = `'"><script class=pwned>pwned=1</script>`;
export const LINK = 'javascript:pwned=1//" onmouseover="pwned=1';
/** A template of the server's, and an entity. */
export const TEMPLATE = '<%= 1/0 %>{{7*7}}&lt;b&gt;&amp;';
export const WIDE = 'W'.repeat(64);
/** Characters that control a terminal, that turn what stands beside them, and that are not seen. */
export const TRICKS = '\u001B[31mred\u001B[2J\u202Egpj.exe\u2066\u200B\u0000';
export const EVERYTHING = [MARKUP, ESCAPE, LINK, TEMPLATE, TRICKS, WIDE.repeat(4)].join(' ');

/** As long as a host name may be, in labels as long as theirs; nobody has it. */
export const LONG_HOST = [...['a', 'b', 'c'].map((letter) => letter.repeat(63)), 'd'.repeat(55), 'invalid'].join('.');

export const LOG = `${EVERYTHING}\n${MARKUP}\u2029${'x'.repeat(5000)}\n\u202E${ESCAPE}\r\u0007\n`;
export const FILE = `${'f'.repeat(117)}.js`;

/** What a node that lies answers, each as bad as its schema lets through. */
export function liesOf({ identity, vessels }: Peer, owner: KeyId): Readonly<Record<string, Lie>> {
  const ending = { kind: 'error', message: EVERYTHING, exitCode: 255 };
  const told = [...vessels].map(([name, { users }]) => ({
    ...{ name, users, owner, ending, state: 'Terminated', since: 8.64e15 },
    ...{ program: FILE, ownerInformation: `${MARKUP}${ESCAPE}`, advertise: true },
  }));
  const node = { version: EVERYTHING, node: identity.id, os: 'linux', arch: MARKUP.slice(0, 32) };
  const walls = { up: [EVERYTHING], missing: [EVERYTHING] };
  const restrictions = `resource memory 1e\nresource cpu ${EVERYTHING}\nresource diskused 1\n<b>resource events -1\n`;
  const attachment = Buffer.from(LOG);
  const file = { name: FILE, size: 1e300, sha256: EVERYTHING };
  return {
    GetVessels: { result: { ...node, walls, layers: [EVERYTHING], vessels: told } },
    GetVesselResources: { result: { restrictions, usage: { [MARKUP]: 1, diskused: -1e300 } } },
    ListFilesInVessel: { result: { files: [file] } },
    AddFileToVessel: { result: file },
    StartVessel: { result: { state: 'Started', logFrom: 0 } },
    ReadVesselLog: {
      ...{ attachment, place: { number: 0, more: false } },
      result: { droppedBytes: 0, next: attachment.length, state: 'Terminated', ending },
    },
  };
}
