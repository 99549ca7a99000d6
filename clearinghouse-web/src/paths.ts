import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

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

/** As `pathsIn`; makes the directories, for their owner's eyes only. */
export function statePaths(directory: string): StatePaths {
  const paths = pathsIn(directory);
  for (const path of [directory, dirname(paths.backendKeys)]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  }
  return paths;
}

/** Every path in a state directory, whether it is there or not. */
export function pathsIn(directory: string): StatePaths {
  const backend = join(directory, 'backend');
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
