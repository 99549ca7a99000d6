/**
 * 16 dynamic-import: imports modules of the host by all kinds of names, and looks into import.meta
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

const NAMES = [
  'fs',
  'node:fs',
  'file:///etc/passwd',
  '/etc/passwd',
  './x.js',
  'data:text/javascript,0',
  '',
  'isolated-vm',
];
for (const name of NAMES) await refused(`import of "${name}"`, () => import(name));
holds('an empty import.meta', Reflect.ownKeys(import.meta).length === 0);
for (const name of ['require', 'module', 'process', 'Buffer']) holds(name, !(name in globalThis));
verdict();
