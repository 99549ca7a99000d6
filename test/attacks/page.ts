import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from './catalogue.ts';
import { AttackError } from './errors.ts';
import { formatPage } from './table.ts';

const PAGE = join(import.meta.dirname, '../../docs/SECURITY.md');
const MARKED = /(<!-- attacks: made by `npm run attacks -- --page` -->\n)([\s\S]*?)(<!-- end of attacks -->)/;

/** @returns the list as the page has it. @throws AttackError BAD_ATTACK */
export function listOfPage(): string {
  const list = MARKED.exec(readFileSync(PAGE, 'utf8'))?.[2];
  if (list === undefined) throw new AttackError('BAD_ATTACK', 'expected the marks of the list in docs/SECURITY.md');
  return list.trim();
}

/** @returns the list as it should be there. */
export function listOfCode(): string {
  return formatPage(catalogue()).trim();
}

export function writePage(): void {
  const text = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    text.replace(MARKED, (_, head, __, foot) => `${head}\n${listOfCode()}\n\n${foot}`),
  );
}
