import { join } from 'node:path';
import type { VesselName } from '@potluck/protocol';

/** Where one vessel's things are. */
export interface VesselPaths {
  readonly directory: string;
  readonly files: string;
  /** Files on their way in; on the same file system as `files`, so that a rename is atomic. */
  readonly incoming: string;
  readonly logNew: string;
  readonly logOld: string;
}

/** Where everything of one node is: no other module makes a path in the state directory. */
export interface StatePaths {
  readonly directory: string;
  readonly config: string;
  readonly identity: string;
  readonly database: string;
  readonly lock: string;
  readonly pid: string;
  readonly address: string;
  /** How others come to a node that runs. */
  readonly reach: string;
  readonly log: string;
  readonly logOld: string;
  /** The bundled vessel process, when none was given. */
  readonly runtime: string;
  readonly vessels: string;
  vessel(name: VesselName): VesselPaths;
}

export function statePaths(directory: string): StatePaths {
  const vessels = join(directory, 'vessels');
  return {
    directory,
    config: join(directory, 'nodemanager.json'),
    identity: join(directory, 'node.jwk'),
    database: join(directory, 'nodemanager.sqlite'),
    lock: join(directory, 'nodemanager.lock'),
    pid: join(directory, 'nodemanager.pid'),
    address: join(directory, 'address.json'),
    reach: join(directory, 'reach.json'),
    log: join(directory, 'nodemanager.log'),
    logOld: join(directory, 'nodemanager.log.old'),
    runtime: join(directory, 'runtime'),
    vessels,
    vessel: (name) => vesselPaths(join(vessels, name)),
  };
}

function vesselPaths(directory: string): VesselPaths {
  return {
    directory,
    files: join(directory, 'files'),
    incoming: join(directory, 'incoming'),
    logNew: join(directory, 'log.new'),
    logOld: join(directory, 'log.old'),
  };
}
