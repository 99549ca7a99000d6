/** Acquires in a process of its own, so that two processes race for the same database. Arguments: database, account ids. */
import { randomUUID } from 'node:crypto';
import { PotluckError } from '@potluck/protocol';
import { Store } from '../../src/store/store.ts';

const COUNT = 4;
const [path = '', ...accounts] = process.argv.slice(2);
await using store = await Store.open(path);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();
const outcomes = await Promise.all(
  accounts.map(async (accountId) => {
    const attempt = { id: randomUUID(), accountId };
    try {
      await store.leases.reserve(attempt, COUNT);
      return (await store.leases.confirm(attempt, COUNT)) ? 'won' : 'lost';
    } catch (error) {
      return error instanceof PotluckError ? error.code : String(error);
    }
  }),
);
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
