/**
 * 18 odd-source: uploads programs with HTML comments, a hashbang, byte order marks, line separators, NUL and a line of 5 MB
 * expected: held
 * resource diskused 20000000
 */
import type { Drive } from '../scene.ts';

/** What each does: `ran` is logged once and by nothing that a comment or text holds. */
const SOURCES: readonly [source: string, kinds: string][] = [
  ['#!/usr/bin/env node\nlog("ran");', 'finished'],
  ['\ufefflog("ran");', 'finished refused'],
  ['#!x\u2028log("ran");', 'finished refused'],
  ['// x\u2028log("ran");', 'finished'],
  ['const s = "\u2028\u2029"; log("ran");', 'finished'],
  ['<!-- log("ran");', 'refused'],
  ['--> log("ran");', 'refused'],
  ['log("\0ran");', 'finished'],
  ['log("r" + "an")\0;', 'refused'],
  ['', 'finished'],
  [' \n\t', 'finished'],
  [`log("ran");${' '.repeat(5_000_000)}`, 'finished'],
  [`log("ran");/*${'x'.repeat(5_000_000)}*/`, 'finished'],
  [`const s="${'x'.repeat(5_000_000)}";log("ran");`, 'finished'],
  ['//# sourceMappingURL=data:application/json;base64,e30=\nlog("ran");', 'finished'],
  ['//# sourceMappingURL=file:///etc/passwd\nthrow new Error("x");', 'error'],
  [
    `//# sourceMappingURL=data:application/json;base64,${Buffer.from('{"version":3,"sources":["../../../etc/passwd"],"mappings":"AAAA"}').toString('base64')}\nthrow new Error("x");`,
    'error',
  ],
  [
    `//# sourceMappingURL=data:application/json;base64,${Buffer.from('[').toString('base64')}\nthrow new Error("x");`,
    'error',
  ],
];

export const run: Drive = async (scene) => {
  const found: string[] = [];
  for (const [source, kinds] of SOURCES) {
    const what = JSON.stringify(source.slice(0, 30));
    await scene.perform(source);
    const ending = await scene.ended();
    const log = await scene.log();
    if (!kinds.split(' ').includes(ending?.kind ?? '')) found.push(`${what}: ${ending?.kind} ${ending?.message}`);
    const times = log.split('ran').length - 1;
    if (times > 1 || (ending?.kind === 'finished' && times !== source.split('ran').length - 1) || /root:/.test(log))
      found.push(`${what} ran ${times} times`);
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};
