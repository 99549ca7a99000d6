import { addressSchema, directly, generateIdentity, type VesselInfo, vesselInfoSchema } from '@potluck/protocol';
import type { Shell } from '../src/index.ts';
import type { Target } from '../src/targets.ts';

/** Lets a shell know a vessel of a node that nobody needs to ask. */
export function knowVessel(shell: Shell, facts: Partial<VesselInfo> = {}, host = '10.0.0.1'): Target {
  const { id } = generateIdentity();
  const rights = { owner: id, users: [], ownerInformation: 'x', advertise: true };
  const info = vesselInfoSchema.parse({ name: 'v1', state: 'Fresh', since: 0, ...rights, ...facts });
  const reach = directly(addressSchema.parse({ host, port: 1224 }));
  return shell.session.targets.put({ node: id, reach, info });
}
