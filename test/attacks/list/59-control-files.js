/**
 * 59 control-files: writes and removes files by the names of the node manager's own: logs, state, keys, the runtime
 * expected: held
 * resource diskused 1000000
 */
import { holds, verdict } from '../inside/tell.js';

const NAMES = [
  'log.new',
  'log.old',
  'log',
  'incoming',
  'files',
  'node.jwk',
  'nodemanager.json',
  'nodemanager.sqlite',
  'nodemanager.lock',
  'nodemanager.pid',
  'address.json',
  'runtime',
  'vessel.mjs',
  'isolated-vm.node',
  'private_x',
  'private_',
  '.private',
  'attack.js',
  'v1',
];
for (const name of NAMES) {
  try {
    const file = await openfile(name, true);
    await file.writeat('broken '.repeat(100), 0);
    await file.close();
    if (name.endsWith('w') || name === 'attack.js') await removefile(name);
  } catch (error) {
    holds(`${name}: ${error}`, error instanceof RepyError);
  }
}
log('it is still logged\n');
verdict();
