import type { RunOptions } from '../process-helper.ts';

let places = 0;

/**
 * A vessel's place that no test had before, with the ports 5001 to 5003 for messages and for connections: one that ended
 * a connection between these ports keeps it from the next for a while.
 */
export function newPlace(...lines: string[]): RunOptions & { readonly address: string } {
  places += 1;
  const ports = [5001, 5002, 5003].flatMap((port) => [`resource messport ${port}`, `resource connport ${port}`]);
  return {
    address: `127.${64 + (process.pid % 64)}.${128 + ((process.pid >> 6) % 128)}.${places}`,
    restrictions: [...ports, ...lines].join('\n'),
  };
}

/** Wrong in every place for an address, a port and so on: as the program's own text. */
export const WRONG = {
  address: "[undefined, null, NaN, 7, {}, [], () => {}, Symbol('x'), 'x'.repeat(256)]",
  /** Texts that are not the address of one machine. */
  machine:
    "['', 'foo.com', 'localhost', '0.1.2.3', '234.1.2.3', '255.255.255.255', '192.168.0.0', '1.2.3', '1.2.3.256', '01.2.3.4', '0x7f.1', ' 8.8.4.4', '::', 'ff02::1', 'fe80::1%lo', '[::1]', '::ffff:0.0.0.0', '12345::']",
  port: "[undefined, null, NaN, '80', {}, 0, -1, 65536, 1.5, Infinity, 80n]",
  message: '[undefined, null, 7, {}, [1], new Uint16Array(1), new ArrayBuffer(1), Symbol.iterator]',
  timeout: "[undefined, null, NaN, '1', {}, 0, -1, -0.1, Infinity, 3601]",
} as const;

/**
 * A program that makes one call with each fault alone and with each two of them that can come together, and logs where
 * the error is not that of the first of the two.
 * @param setup statements before
 * @param call a function of all arguments
 * @param right arguments with which the call succeeds but for the faults
 * @param faults `[code, [[position, values], ...]]` in the order in which errors are to be found
 */
export function precedence({
  setup,
  call,
  right,
  faults,
}: Readonly<Record<'setup' | 'call' | 'right' | 'faults', string>>) {
  return `const me = getmyip();
    ${setup}
    const call = ${call};
    const faults = [];
    for (const [code, places] of ${faults}) {
      const count = Math.max(...places.map(([, values]) => values.length));
      for (let n = 0; n < count; n++) faults.push({ code, changes: places.map(([at, values]) => [at, values[n % values.length]]) });
    }
    let checked = 0;
    const check = async (expected, changes) => {
      const given = ${right};
      for (const [at, value] of changes) given[at] = value;
      let got = 'nothing';
      try { const made = await call(...given); made?.close?.(); } catch (error) { got = error.code; }
      checked++;
      if (got !== expected) log(call.name, given, 'expected', expected, 'got', got, '\\n');
    };
    for (const [index, first] of faults.entries()) {
      await check(first.code, first.changes);
      for (const second of faults.slice(index + 1)) {
        const apart = first.changes.every(([at]) => second.changes.every(([other]) => at !== other));
        if (apart && second.code !== first.code) await check(first.code, [...first.changes, ...second.changes]);
      }
    }
    log(checked > faults.length ? 'checked' : 'nothing was combined'); exitall();`;
}
