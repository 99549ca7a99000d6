import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import {
  type FileName,
  generateIdentity,
  type Identity,
  type NodeClient,
  parseRestrictions,
  type VesselInfo,
  type VesselName,
} from '@potluck/protocol';
import { act, type Deed, type Model, type ModelVessel, PROGRAM, serialOrder } from './race-model.ts';
import { RESTRICTIONS, TestNode } from './support.ts';

const [v1, v2] = ['v1', 'v2'] as VesselName[] as [VesselName, VesselName];
const WHOLE = `${RESTRICTIONS}\nresource filesopened 5\nresource filewrite 100000\nresource fileread 100000\n`;
const PART = 'resource cpu .01\nresource memory 10000000\nresource diskused 100000\nresource events 1\n';
const OFFCUT_BYTES = 1_000_000;
const ROUNDS = 8;

async function send(client: NodeClient, deed: Deed): Promise<string> {
  const { vessel } = deed;
  const name = PROGRAM as FileName;
  const calls: Record<Deed['method'], () => Promise<unknown>> = {
    ChangeOwner: () => client.call('ChangeOwner', { vessel, owner: 'owner' in deed ? deed.owner : deed.as }),
    ChangeUsers: () => client.call('ChangeUsers', { vessel, users: 'users' in deed ? [...deed.users] : [] }),
    SplitVessel: () => client.call('SplitVessel', { vessel, restrictions: PART }),
    JoinVessels: () => client.call('JoinVessels', { vessel, other: 'other' in deed ? deed.other : vessel }),
    StartVessel: () => client.call('StartVessel', { vessel, program: name, args: [] }),
    StopVessel: () => client.call('StopVessel', { vessel }),
    ResetVessel: () => client.call('ResetVessel', { vessel }),
    AddFileToVessel: () =>
      client.call('AddFileToVessel', { vessel, name: ('name' in deed ? deed.name : name) as FileName }),
  };
  return await calls[deed.method]().then(
    () => 'ok',
    ({ code }: { code: string }) => code,
  );
}

describe("ten owners' and users' requests on one vessel at once", () => {
  const heirs = [1, 2, 3].map(() => generateIdentity());
  const users = [1, 2, 3, 4].map(() => generateIdentity());
  let node: TestNode;
  let watcher: NodeClient;
  const vessels = async (): Promise<VesselInfo[]> => (await watcher.call('GetVessels', {})).result.vessels;

  beforeEach(async () => {
    node = await TestNode.start({ vessels: 2, restrictions: WHOLE, limits: { poolSize: 1 } });
    watcher = await node.client(node.owner);
    for (const vessel of [v1, v2]) await watcher.call('ChangeUsers', { vessel, users: users.map(({ id }) => id) });
    const attachment = Buffer.from('settimer(1e6, () => {});');
    await watcher.call('AddFileToVessel', { vessel: v1, name: PROGRAM as FileName }, { attachment });
  });
  afterEach(async () => await node[Symbol.asyncDispose]());

  const deeds = (): (Deed & { by: Identity })[] => {
    const owner = { by: node.owner, as: node.owner.id, vessel: v1 };
    const by = (index: number) => ({ by: users[index] as Identity, as: users[index]?.id as never, vessel: v1 });
    return [
      { ...owner, method: 'SplitVessel' },
      { ...by(0), method: 'StartVessel' },
      { ...owner, method: 'ChangeOwner', owner: heirs[0]?.id as never },
      { ...by(1), method: 'AddFileToVessel', name: 'b' },
      { ...owner, method: 'JoinVessels', other: v2 },
      { ...by(0), method: 'StopVessel' },
      { ...owner, method: 'ChangeOwner', owner: heirs[1]?.id as never },
      { ...by(2), method: 'ResetVessel' },
      { ...owner, method: 'ChangeUsers', users: users.slice(0, 2).map(({ id }) => id) },
      { ...by(3), method: 'AddFileToVessel', name: 'c' },
      { ...owner, method: 'ChangeOwner', owner: heirs[2]?.id as never },
      { ...by(1), method: 'StartVessel' },
    ];
  };

  const begin = (): Model => {
    const vessel = { owner: node.owner.id, users: users.map(({ id }) => id), state: 'Fresh' } as const;
    return { v1: { ...vessel, files: [PROGRAM] }, v2: { ...vessel, files: [] } };
  };
  const modelNow = async (): Promise<Model> => {
    const now = (await vessels()).map(async ({ name, owner, users: [...keys], state }) => {
      const names = (await readdir(node.paths.vessel(name).files)).sort();
      return [name, { owner, users: keys, files: names, state } as ModelVessel] as const;
    });
    return Object.fromEntries(await Promise.all(now));
  };
  const memory = async (): Promise<number> => {
    const all = (await vessels()).map(async ({ name: vessel }) => {
      const { restrictions } = (await watcher.call('GetVesselResources', { vessel })).result;
      return parseRestrictions(restrictions).quantities.memory;
    });
    return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0);
  };

  for (let round = 0; round < ROUNDS; round += 1) {
    it(`are answered as if one came after the other, whatever their order (${round + 1} of ${ROUNDS})`, async () => {
      const whole = await memory();
      const [start, list] = [begin(), deeds()];
      const turned = list.map(
        (_, index) => list[(index * (round % 2 === 0 ? 1 : 5) + round * 3) % list.length] as Deed & { by: Identity },
      );
      const clients = await Promise.all(turned.map(({ by }) => node.client(by)));
      const codes = await Promise.all(turned.map((deed, index) => send(clients[index] as NodeClient, deed)));
      const told = turned.map((deed, index) => ({ ...deed, code: codes[index] ?? '' }));
      const count = (method: string) => told.filter((deed) => deed.method === method && deed.code === 'ok').length;
      const end = await modelNow();
      const text = told.map(({ method, code }) => `${method}: ${code}`).join('\n');
      assert.ok(serialOrder(start, end, told), `no order makes this true:\n${text}\n${JSON.stringify(end, null, 1)}`);
      assert.ok(count('ChangeOwner') <= 1, text);
      assert.equal(await memory(), whole - OFFCUT_BYTES * (count('SplitVessel') - count('JoinVessels')));
      for (const { name } of await vessels()) assert.deepEqual(await readdir(node.paths.vessel(name).incoming), []);
      assert.deepEqual((await readdir(node.paths.vessels)).sort(), Object.keys(end).sort());
    });
  }

  it('a split or a join that waited is not for who handed the vessel over meanwhile', async () => {
    const user = await node.client(users[0] as Identity);
    const owner = await node.client(node.owner);
    for (const other of [undefined, v2]) {
      // What waits in the queue holds the split or join up.
      const waiting = Array.from({ length: 10 }, () => user.call('ListFilesInVessel', { vessel: v1 }));
      const replacing =
        other === undefined
          ? owner.call('SplitVessel', { vessel: v1, restrictions: PART })
          : owner.call('JoinVessels', { vessel: v1, other });
      const handed = other ?? v1;
      const heir = await node.client(heirs[0] as Identity);
      const changed = owner.call('ChangeOwner', { vessel: handed, owner: heirs[0]?.id as never }).then(
        () => 'ok',
        ({ code }: { code: string }) => code,
      );
      const outcome = await replacing.then(
        () => 'ok',
        ({ code }: { code: string }) => code,
      );
      await Promise.all(waiting);
      assert.deepEqual([outcome, await changed].sort(), [outcome === 'ok' ? 'NO_SUCH_VESSEL' : 'NOT_PERMITTED', 'ok']);
      if ((await changed) === 'ok') await heir.call('ChangeOwner', { vessel: handed, owner: node.owner.id });
      else return;
    }
  });

  it('the model says what a node says, one after the other', async () => {
    let model = begin();
    for (const deed of deeds().toSorted((a, b) => a.method.localeCompare(b.method))) {
      const { code, next } = act(model, deed);
      assert.equal(await send(await node.client(deed.by), deed), code, deed.method);
      model = next;
    }
    assert.ok(serialOrder(model, await modelNow(), []));
    const wrong = { ...deeds()[0], code: 'NO_SUCH_FILE' } as Deed & { code: string };
    assert.equal(serialOrder(model, model, [wrong]), undefined, 'a reply that no order explains is found');
  });
});
