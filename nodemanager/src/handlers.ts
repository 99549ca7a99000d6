import { formatRestrictions, type KeyId, type MethodName, type Params, type Result } from '@potluck/protocol';
import type { Vessels } from './vessels.ts';

export interface Call<M extends MethodName> {
  readonly params: Params<M>;
  /** Empty unless the method table says that the request attaches something. */
  readonly attachment: Uint8Array;
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
  readonly onUsersChanged: () => void;
}

/** What the node does for each method of the table. */
export function handlersOf(vessels: Vessels, init: HandlersInit): Handlers {
  return { ...aboutVessels(vessels, init), ...aboutFiles(vessels), ...aboutPrograms(vessels) };
}

type AboutVessels = Pick<Handlers, 'GetVessels' | 'GetVesselResources' | 'ChangeUsers' | 'ReadVesselLog'>;
type AboutFiles = Pick<Handlers, 'AddFileToVessel' | 'ListFilesInVessel' | 'RetrieveFileFromVessel'>;
type AboutPrograms = Pick<Handlers, 'StartVessel' | 'StopVessel' | 'ResetVessel'>;

function aboutVessels(vessels: Vessels, { node, version, walls, onUsersChanged }: HandlersInit): AboutVessels {
  return {
    GetVessels: async () => ({
      result: { version, node, walls: await walls, vessels: vessels.all().map(({ info }) => info) },
    }),
    GetVesselResources: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      return { result: { restrictions: formatRestrictions(vessel.restrictions), usage: await vessel.usage() } };
    },
    ChangeUsers: async ({ params }) => {
      const users = vessels.get(params.vessel).changeUsers(params.users);
      onUsersChanged();
      return { result: { users: [...users] } };
    },
    ReadVesselLog: async ({ params }) => {
      const { bytes, droppedBytes } = vessels.get(params.vessel).log.read();
      return { result: { droppedBytes }, attachment: bytes };
    },
  };
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
  };
}

function aboutPrograms(vessels: Vessels): AboutPrograms {
  return {
    StartVessel: async ({ params }) => {
      const vessel = vessels.get(params.vessel);
      await vessel.startProgram(params.program, params.args);
      return { result: { state: vessel.info.state } };
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
