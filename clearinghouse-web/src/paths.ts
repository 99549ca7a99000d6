import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface StatePaths {
  readonly database: string;
  /** Held locked by the process that runs the site. */
  readonly lock: string;
  readonly gatewayKey: string;
  readonly address: string;
  /** When the newest backup was made. */
  readonly backup: string;
  /** The backend's own directory; the site has no business in it. */
  readonly backendKeys: string;
  /** Held locked by the backend: there is one of a state directory. */
  readonly backendLock: string;
  /** The backend's name among those of other state directories, see `backendName`. */
  readonly backendName: string;
}

/** Every path in a state directory; makes the directories, for their owner's eyes only. */
export function statePaths(directory: string): StatePaths {
  const backend = join(directory, 'backend');
  for (const path of [directory, backend]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  }
  return {
    database: join(directory, 'clearinghouse.sqlite'),
    lock: join(directory, 'lock.sqlite'),
    gatewayKey: join(directory, 'gateway.jwk'),
    address: join(directory, 'address.json'),
    backup: join(directory, 'backup.json'),
    backendKeys: join(backend, 'keys.sqlite'),
    backendLock: join(backend, 'lock.sqlite'),
    backendName: join(backend, 'name'),
  };
}
