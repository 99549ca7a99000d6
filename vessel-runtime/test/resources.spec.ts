import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { PORT_NAMES, type PortName, QUANTITY_NAMES, type QuantityName } from '@potluck/protocol';
import { Disk } from '../src/host/disk.ts';
import { removeRuntime, temporaryDirectory } from './helper.ts';
import { runCaught } from './process-helper.ts';

const ADDRESS = '127.61.18.18';
const PORTS = ['resource messport 5001', 'resource messport 5002', 'resource connport 5001', 'resource connport 5002'];

/** A call that may be made, and the same again, which may not. */
interface Row {
  readonly setup?: string;
  /** A function of a number: each of its calls takes one more, or costs more than a byte. */
  readonly call: string;
}
/** Where a resource is tested elsewhere: a file beside this one, and the title of its test. */
interface Elsewhere {
  readonly file: string;
  readonly title: string;
}

const COUNTABLE: Partial<Record<QuantityName, Row>> = {
  filesopened: { call: "(n) => openfile('file' + n, true)" },
  insockets: { call: 'async (n) => recvmess(me, 5000 + n, () => {})' },
  outsockets: { setup: 'await waitforconn(me, 5001, () => {});', call: '() => openconn(me, 5001)' },
};

/** At a byte a second the first call is free and the second would wait for a minute. */
const RENEWABLE: Partial<Record<QuantityName, Row>> = {
  filewrite: { setup: "const file = await openfile('rate', false);", call: "() => file.writeat('x', 0)" },
  fileread: { call: '() => listfiles()' },
  loopsend: { call: "() => sendmess(me, 5001, 'x', me, 5002)" },
  looprecv: {
    setup: 'const server = listenformessage(me, 5001);',
    call: "async () => { await sendmess(me, 5001, 'x', me, 5002); await server.getmessage(); }",
  },
  random: { call: '() => randombytes()' },
};

const ELSEWHERE: Partial<Record<QuantityName | PortName, Elsewhere>> = {
  cpu: { file: 'seattle/limits.spec.ts', title: 'Seattle 32: at 10 % CPU' },
  memory: { file: 'seattle/limits.spec.ts', title: 'Seattle 33: more memory than its limit ends the vessel' },
  diskused: { file: 'seattle/files.spec.ts', title: 'Seattle 33: a full disk ends the program with the figures' },
  events: { file: 'process-tasks.spec.ts', title: 'hold one event each while they run' },
  lograte: { file: 'process-program.spec.ts', title: 'waits when it logs faster than lograte' },
  netsend: { file: 'process-names.spec.ts', title: 'cost 1024 netsend and 4096 netrecv' },
  netrecv: { file: 'process-names.spec.ts', title: 'cost 1024 netsend and 4096 netrecv' },
  messport: { file: 'process-ipv6.spec.ts', title: 'reaches on loopback its own ports and no others' },
  connport: { file: 'process-ipv6.spec.ts', title: 'reaches on loopback its own ports and no others' },
};

describe('each resource of a vessel', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let disk: Disk;
  before(async () => {
    directory = await temporaryDirectory();
    disk = new Disk({ directory: directory.path, limitBytes: 1_000_000 });
    await disk.open('rate', { create: true, empty: false });
  });
  after(async () => {
    await disk.rest();
    await directory[Symbol.asyncDispose]();
    await removeRuntime();
  });

  const logOf = (body: string, line: string) => {
    const kept = PORTS.join('\n');
    return runCaught(`const me = getmyip(); ${body}`, { address: ADDRESS, disk, restrictions: `${kept}\n${line}` });
  };

  it('has a row here, or a test elsewhere that is there', async () => {
    const rows = [COUNTABLE, RENEWABLE, ELSEWHERE].flatMap((table) => Object.keys(table));
    assert.deepEqual(rows.sort(), [...QUANTITY_NAMES, ...PORT_NAMES].sort());
    for (const [name, { file, title }] of Object.entries(ELSEWHERE)) {
      const text = await readFile(new URL(file, import.meta.url), 'utf8');
      assert.ok(text.includes(title), `expected a test "${title}" for ${name} in ${file}`);
    }
  });

  for (const [name, { setup = '', call }] of Object.entries(COUNTABLE)) {
    it(`is counted: one ${name} at a limit of one, no second, and both figures are told`, async () => {
      const more = name === 'outsockets' ? 2 : 1;
      // The other end of a connection to oneself is one as well.
      const body = `${setup} const call = ${call}; await call(1);
        while (getresources().usage.${name} < ${more}) await sleep(0.001);
        log(getresources().usage.${name}, getresources().limits.${name}, ''); await call(2);`;
      const log = await logOf(body, `resource ${name} ${more}`);
      assert.match(log, new RegExp(`^${more} ${more} ResourceExhaustedError RESOURCE_EXHAUSTED`));
    });
  }

  for (const [name, { setup = '', call }] of Object.entries(RENEWABLE)) {
    it(`is paid for: the first call of ${name} is made, the second waits, and both figures are told`, async () => {
      const body = `${setup} const call = ${call}; await call(1); let done = false; call(2).then(() => { done = true; });
        await sleep(0.2); log(done, getresources().usage.${name} > 0, getresources().limits.${name});`;
      assert.equal(await logOf(body, `resource ${name} 1`), 'false true 1');
    });

    // What comes where nothing may come is dropped: there is no call that could fail.
    if (name === 'looprecv') continue;
    it(`is refused where there is no ${name}`, async () => {
      const log = await logOf(`${setup} await (${call})(1);`, `resource ${name} 0`);
      assert.match(
        log,
        new RegExp(`^ResourceExhaustedError RESOURCE_EXHAUSTED expected a vessel that may use ${name}`),
      );
    });
  }
});
