/**
 * 17 closing-brace: begins with brackets and comments that would close what stands in front of a program
 * expected: held
 */
import type { Drive } from '../scene.ts';

const STARTS = [
  '})();',
  '}catch{}',
  '*/',
  '}}}',
  ');',
  '`',
  '"',
  "'",
  '-->',
  'return;',
  '});prelude',
  '}\n}\nprelude.install',
  '</script>',
];

export const run: Drive = async (scene) => {
  const found: string[] = [];
  for (const start of STARTS) {
    await scene.perform(`${start} log('out' + 'side'); this.constructor.constructor('return process')();`);
    const ending = await scene.ended();
    const log = await scene.log();
    if (ending?.kind !== 'refused' || log.includes('outside')) found.push(`${start}: ${ending?.kind}`);
    if (!/attack\.js/.test(log)) found.push(`${start}: no place in the user's file`);
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};
