import { parseArgs } from 'node:util';
import { describeError } from '@potluck/protocol';
import { AttackError } from './errors.ts';
import { writePage } from './page.ts';
import { chosen, runSuite } from './suite.ts';
import { formatDetails, formatTable } from './table.ts';

const USAGE = `usage: npm run attacks -- [--json] [--quick] [NUMBER...]
       npm run attacks -- --page        writes the list into docs/SECURITY.md and runs nothing`;

/** @returns the exit code: 0 when all is as expected, 1 when not, 2 for a wrong command line. */
export async function attacks(argv: string[]): Promise<number> {
  try {
    const { values, numbers } = parse(argv);
    if (values.page) {
      writePage();
      return 0;
    }
    const onOutcome = values.json ? undefined : () => process.stderr.write('.');
    const outcomes = await runSuite({
      attacks: chosen(numbers),
      quick: values.quick ?? false,
      ...(onOutcome && { onOutcome }),
    });
    if (values.json) {
      const plain = outcomes.map(({ attack: { number, name, expected }, ...rest }) => ({
        number,
        name,
        expected,
        ...rest,
      }));
      process.stdout.write(`${JSON.stringify(plain)}\n`);
    } else process.stdout.write(`\n${formatTable(outcomes)}${formatDetails(outcomes)}`);
    return outcomes.some(({ verdict }) => verdict === 'wrong') ? 1 : 0;
  } catch (error) {
    process.stderr.write(`attacks: ${describeError(error)}\n`);
    return error instanceof AttackError && error.fault === 'caller' ? 2 : 1;
  }
}

function parse(args: string[]) {
  const options = { json: { type: 'boolean' }, quick: { type: 'boolean' }, page: { type: 'boolean' } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const known = new Set(chosen([]).map(({ number }) => number));
    for (const text of positionals) {
      if (!known.has(Number(text)))
        throw new AttackError('USAGE', `expected the number of an attack, got "${text}"\n${USAGE}`);
    }
    return { values, numbers: positionals.map(Number) };
  } catch (error) {
    if (error instanceof AttackError) throw error;
    throw new AttackError('USAGE', `${describeError(error).split('. ')[0]}\n${USAGE}`);
  }
}
