import { stat } from 'node:fs/promises';
import { request } from 'node:https';
import { type Address, type Finding, LIMITS } from '@potluck/protocol';
import type { StatePaths } from './paths.ts';

const BREAKS = 'requests of users are refused as EXPIRED and the clearinghouse does not believe this node';
const REMEDY = 'set the clock, and keep it right (timedatectl set-ntp true)';
const ASK_MS = 5000;

/** Compares this machine's clock with the clearinghouse's, where one is named, and with what was written here before. */
export async function aboutClock(paths: StatePaths, gateway: Address | undefined): Promise<Finding> {
  const what = 'clock';
  const newest = await newestOf([paths.log, paths.database, `${paths.database}-wal`, paths.identity]);
  const aheadMs = newest - Date.now();
  if (aheadMs > LIMITS.clockSkewSeconds * 1000) {
    const text = `it was ${seconds(aheadMs)} further when this node last wrote: ${BREAKS}, and nonces are kept too long; ${REMEDY}`;
    return { what, state: 'wrong', text };
  }
  const differenceMs = gateway === undefined ? undefined : await differenceTo(gateway).catch(() => undefined);
  if (differenceMs === undefined) {
    const text = "not behind this node's own files; there is no clearinghouse that answers to compare it with";
    return { what, state: 'well', text };
  }
  const isWell = Math.abs(differenceMs) <= LIMITS.clockSkewSeconds * 1000;
  const where = `${seconds(Math.abs(differenceMs))} ${differenceMs > 0 ? 'ahead of' : 'behind'} the clearinghouse's`;
  return isWell
    ? { what, state: 'well', text: where }
    : { what, state: 'wrong', text: `it is ${where}: ${BREAKS}; ${REMEDY}` };
}

async function newestOf(files: readonly string[]): Promise<number> {
  const times = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return Math.max(0, ...times.map((found) => found?.mtimeMs ?? 0));
}

/**
 * By the Date of the reply to a plain request, to a second. Whose key it is, was looked at before; here nobody is
 * believed for more than a word to the donor.
 * @returns milliseconds by which our clock is ahead
 */
async function differenceTo({ host, port }: Address): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { host, port, method: 'HEAD', rejectUnauthorized: false, agent: false, timeout: ASK_MS };
  const asked = request(options, (response) => {
    response.resume();
    const theirMs = Date.parse(response.headers.date ?? '');
    if (Number.isNaN(theirMs)) reject(new RangeError('expected a date, got none'));
    else resolve(Date.now() - theirMs);
  });
  asked
    .on('error', reject)
    .on('timeout', () => asked.destroy())
    .end();
  return await promise;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
