/**
 * 53 traversal: opens, writes, lists and removes files by names that lead out of its directory
 * expected: held
 */
import { facts, holds, refused, verdict } from '../inside/tell.js';

const { directory, mark } = facts;
const NAMES = [
  '../x',
  '/etc/passwd',
  'a/../../x',
  '..\\x',
  '%2e%2e/x',
  '%2e%2e%2fx',
  '.',
  '..',
  '',
  '/',
  './x',
  'x/',
  '~',
  '~root/x',
  '\xc0\xae\xc0\xae/x',
  '\u2024\u2024/x',
  '\uff0e\uff0e\uff0fx',
  '....//x',
  `${directory}/outside/secret`,
  '../../v1/files/secret.txt',
  '../log.new',
  '../../../node.jwk',
  `/tmp/${mark}`,
  `../../../../${mark}`,
  'file:///etc/passwd',
  'C:\\x',
  '\\\\host\\x',
  'con/../x',
  'a\0/../x',
];
for (const name of NAMES) {
  await refused(`openfile "${name}"`, () => openfile(name, false), 'ARGUMENT');
  await refused(`make "${name}"`, () => openfile(name, true), 'ARGUMENT');
  await refused(`remove "${name}"`, () => removefile(name), 'ARGUMENT');
  for (const mode of ['r', 'w', 'a']) await refused(`open "${name}" ${mode}`, () => open(name, mode), 'ARGUMENT');
}
const names = await listfiles();
holds(
  `files ${names}`,
  names.every((name) => /^[\w.-]+$/.test(name)),
);
verdict();
