/**
 * 54 odd-names: names with NUL, line ends, 300 characters, marks that turn text round, trailing dots, devices, twins in case
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

const NAMES = [
  'a\0.txt',
  'a\nb',
  'a\rb',
  'x'.repeat(300),
  'x'.repeat(121),
  'a\u202eb',
  'a b',
  'a ',
  ' a',
  'a:b',
  'a*',
  'a|b',
  'a"b',
  '\ud800',
  'é',
  'ﬁle',
  'a\u200b',
  '.hidden',
  '-\u0000',
  'a\x7f',
  'A/B',
  1,
  null,
  undefined,
  {},
  [],
  Symbol('x'),
  new String('a'),
];
for (const name of NAMES) {
  await refused(`openfile ${String(name)}`, () => openfile(name, true), 'ARGUMENT');
  await refused(`remove ${String(name)}`, () => removefile(name), 'ARGUMENT');
}
// Those that are taken are exact files of their own; others are refused, on every system alike.
for (const name of [
  'con',
  'nul',
  'aux.txt',
  'com1',
  'trailing.',
  'a..b',
  '-rf',
  'twin',
  'Twin',
  'TWIN',
  '__proto__',
  'constructor',
]) {
  try {
    const file = await openfile(name, true);
    await file.writeat(name, 0);
    await file.close();
  } catch (error) {
    holds(`${name}: ${error}`, error instanceof RepyArgumentError);
    continue;
  }
  const again = await openfile(name, false);
  holds(`${name} is itself`, (await again.readat(null, 0)) === name);
  await again.close();
  holds(`${name} is listed`, (await listfiles()).includes(name));
}
verdict();
