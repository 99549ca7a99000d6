import {
  ConfigError,
  formatRestrictions,
  type KeyId,
  type MethodName,
  type Params,
  parseRestrictions,
  RequestError,
  type Restrictions,
  type Result,
  type VesselName,
} from '@potluck/protocol';
import type { Directory } from './directory.ts';
import type { LatencyMeter } from './latency.ts';
import type { VesselRights } from './vessel-store.ts';
import type { Vessels } from './vessels.ts';

export interface Call<M extends MethodName> {
  readonly params: Params<M>;
  /** Who asks. */
  readonly signer: KeyId;
  /** Empty unless the method table says that the request attaches something. */
  readonly attachment: Uint8Array;
  /** The caller's address, as `homeOf` tells callers apart. */
  readonly home: string;
}

export interface Answer<M extends MethodName> {
  readonly result: Result<M>;
  readonly attachment?: Uint8Array;
}

/** Called when existence, permission, parameters and attachment have been checked. */
export type Handlers = { readonly [M in MethodName]: (call: Call<M>) => Promise<Answer<M>> };

export interface HandlersInit {
  readonly node: KeyId;
  readonly version: string;
  readonly walls: Promise<{ up: string[]; missing: string[] }>;
  /** Names of the layers under which programs run. */
  readonly layers: string[];
  /** Undefined where the operator wants none. */
  readonly directory: Directory | undefined;
  /** What the node says of itself. */
  readonly advertisement: () => Promise<string>;
  readonly latency: LatencyMeter;
  /** Whom the node should tell where it is may have changed. */
  readonly onKeysChanged: () => void;
}

const MACHINE = { os: process.platform, arch: process.arch };

/** What the node does for each method of the table. */
export function handlersOf(vessels: Vessels, init: HandlersInit): Handlers {
  return {
    ...aboutVessels(vessels, init),
    ...aboutNodes(vessels, init),
    ...aboutOwners(vessels, init),
    ...aboutFiles(vessels),
    ...aboutPrograms(vessels),
  };
}

type AboutVessels = Pick<Handlers, 'GetVessels' | 'GetVesselResources' | 'GetOffcutResources' | 'ReadVesselLog'>;
type AboutNodes = Pick<Handlers, 'Advertise' | 'LookUp'>;
type AboutOwners = Pick<
  Handlers,
  | 'ChangeUsers'
  | 'ChangeOwner'
  | 'ChangeOwnerInformation'
  | 'ChangeAdvertise'
  | 'MeasureLatency'
  | 'SplitVessel'
  | 'JoinVessels'
>;
type AboutFiles = Pick<
  Handlers,
  'AddFileToVessel' | 'ListFilesInVessel' | 'RetrieveFileFromVessel' | 'DeleteFileInVessel'
>;
type AboutPrograms = Pick<Handlers, 'StartVessel' | 'StopVessel' | 'ResetVessel'>;

function aboutVessels(vessels: Vessels, { node, version, walls, layers }: HandlersInit): AboutVessels {
  return {
    GetVessels: async () => ({
      result: { version, node, walls: await walls, layers, ...MACHINE, vessels: vessels.all().map(({ info }) => info) },
    }),
    GetVesselResources: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      return { result: { restrictions: formatRestrictions(vessel.restrictions), usage: await vessel.usage() } };
    },
    GetOffcutResources: async () => ({ result: { restrictions: formatRestrictions(vessels.offcut) } }),
    ReadVesselLog: async ({ params }) => {
      const { bytes, droppedBytes, next } = vessels.get(params.vessel).log.read(params.from);
      return { result: { droppedBytes, next }, attachment: bytes };
    },
  };
}

function aboutNodes(vessels: Vessels, { node, directory, advertisement: own }: HandlersInit): AboutNodes {
  return {
    Advertise: async ({ params: { advertisement }, signer, home }) => {
      if (directory !== undefined)
        return { result: { expires: await directory.hold(advertisement, { signer, home }) } };
      throw new RequestError(
        'NOT_PERMITTED',
        'expected a node that its operator made a directory, got one that is none',
      );
    },
    LookUp: async ({ params: { key } }) => {
      const ours = key === node || vessels.keys().includes(key) ? [await own()] : [];
      const found = [...ours, ...(directory?.lookUp(key) ?? [])];
      return { result: { advertisements: found.length }, attachment: Buffer.from(found.join('\n')) };
    },
  };
}

function aboutOwners(vessels: Vessels, { onKeysChanged, latency }: HandlersInit): AboutOwners {
  const change = (name: VesselName, rights: Partial<VesselRights>): VesselRights => {
    const changed = vessels.get(name).changeRights(rights);
    onKeysChanged();
    return changed;
  };
  return {
    ChangeUsers: async ({ params }) => {
      const { users } = change(params.vessel, { users: [...new Set(params.users)] });
      return { result: { users: [...users] } };
    },
    ChangeOwner: async ({ params: { vessel, owner } }) => {
      change(vessel, { owner, ownerInformation: '', advertise: true });
      return { result: { owner } };
    },
    ChangeOwnerInformation: async ({ params: { vessel, text } }) => {
      const { ownerInformation } = change(vessel, { ownerInformation: text });
      return { result: { ownerInformation } };
    },
    ChangeAdvertise: async ({ params: { vessel, advertise } }) => {
      change(vessel, { advertise });
      return { result: { advertise } };
    },
    MeasureLatency: async ({ params }) => ({ result: { ms: await latency.measure(params) } }),
    SplitVessel: async ({ params, signer }) => {
      const result = await vessels.split(params.vessel, wantedOf(params.restrictions), signer);
      return { result };
    },
    JoinVessels: async ({ params: { vessel, other }, signer }) => ({
      result: { vessel: await vessels.join(vessel, other, signer) },
    }),
  };
}

/** @throws RequestError BAD_PARAMETERS: it names the line. */
function wantedOf(text: string): Restrictions {
  try {
    return parseRestrictions(text);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new RequestError('BAD_PARAMETERS', `expected resources to split off: ${cause.message}`, { cause });
  }
}

function aboutFiles(vessels: Vessels): AboutFiles {
  return {
    AddFileToVessel: async ({ params, attachment }) => ({
      result: await vessels.get(params.vessel).files.add(params.name, attachment),
    }),
    ListFilesInVessel: async ({ params }) => ({ result: { files: await vessels.get(params.vessel).files.list() } }),
    RetrieveFileFromVessel: async ({ params }) => {
      const { bytes, ...info } = await vessels.get(params.vessel).files.read(params.name);
      return { result: info, attachment: bytes };
    },
    DeleteFileInVessel: async ({ params: { vessel, name } }) => {
      await vessels.get(vessel).files.remove(name);
      return { result: { name } };
    },
  };
}

function aboutPrograms(vessels: Vessels): AboutPrograms {
  return {
    StartVessel: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      const { logFrom } = await vessel.startProgram(params.program, params.args);
      return { result: { state: vessel.info.state, logFrom } };
    },
    StopVessel: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      await vessel.stopProgram();
      return { result: { state: vessel.info.state } };
    },
    ResetVessel: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      await vessel.reset();
      return { result: { state: vessel.info.state } };
    },
  };
}
