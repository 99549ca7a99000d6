import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CLI = join(import.meta.dirname, '..', '..', 'clearinghouse-web', 'bin', 'clearinghouse.ts');

export async function makeAdministrator(state: string, username: string): Promise<void> {
  await promisify(execFile)(process.execPath, [CLI, 'admin', username, '--state', state]);
}

/** Fails unless it adds up. */
export async function checkLedger(state: string): Promise<void> {
  await promisify(execFile)(process.execPath, [CLI, 'check', '--state', state]);
}

/** The backend process of a site; undefined while it is being started again. */
export function findBackend(site: number | undefined): number | undefined {
  const children = readFileSync(`/proc/${site}/task/${site}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('backend/main.ts'));
}

export function backendOf(site: number | undefined): number {
  return findBackend(site) ?? assert.fail('expected a backend to be running, got none');
}

/** Nobody else takes it in the meantime: the node must be led to before it calls. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
