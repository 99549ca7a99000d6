import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeManager } from '@potluck/nodemanager';
import {
  type Donation,
  type FileName,
  generateIdentity,
  type Identity,
  NodeClient,
  signKeyProof,
  type VesselName,
} from '@potluck/protocol';
import Database from 'better-sqlite3';
import { taskSchema } from '../../clearinghouse-web/src/backend/kinds.ts';
import { donationIn, emptyPayload } from '../browser/donor.ts';
import { restrictionsOf, World } from '../browser/world.ts';
import { Executioner, type Moment } from './executioner.ts';
import { backendOf, checkLedger, findBackend, freePort, makeAdministrator } from './operator.ts';
import { User } from './user.ts';

/** Requests of one step around each of which the backend is killed. */
const MOST = 3;

/** Something that the backend is to do, begun by whoever may begin it. */
interface Step {
  /** Brings what is idle to where the step begins. */
  readonly prepare?: () => Promise<unknown>;
  readonly begin: () => Promise<unknown>;
  /** How the node is in its life when it has ended. */
  readonly life?: 'offered' | 'broken';
  /** What else is to be so, where that begins later than `begin` ends. */
  readonly ended?: () => boolean;
  /** Who uses the vessel then, by the node's own word; nobody unless given. */
  readonly user?: () => Identity;
}

describe('a backend that is killed at each step of what it does with a node', function () {
  this.timeout(300_000);
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;
  let database: Database.Database;
  let admin: User;
  let user: User;
  let key: Identity;
  let executioner: Executioner;
  let node: NodeManager;
  let handshake = 0;
  let kills = 0;
  let killed = 0;
  let accounts = 0;

  before(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    admin = await new User(site.url).join('admin');
    await makeAdministrator(site.state, 'admin');
    user = await new User(site.url).join('user');
    key = user.identity;
    const { downloadUrl } = (await admin.ask('/donations')) as unknown as { downloadUrl: string };
    const archive = join(world.directory, 'donor.tgz');
    await writeFile(archive, Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()));
    executioner = await Executioner.start();
    database = new Database(join(site.state, 'clearinghouse.sqlite'), { timeout: 10_000 });
    await makeNode(await donationIn(archive, world.directory));
    await start();
    await until(() => lifeOf() === 'offered' && isSettled());
    executioner.watch({ at: Number.POSITIVE_INFINITY, moment: 'before', strike });
    await (await NodeClient.connect({ address: executioner.address, node: node.id, identity: key }))[
      Symbol.asyncDispose
    ]();
    handshake = executioner.flights;
  });
  after(async () => {
    database?.close();
    await node?.[Symbol.asyncDispose]();
    await executioner?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  async function makeNode(donation: Donation): Promise<void> {
    const state = join(world.directory, 'node');
    const listen = { host: '127.0.0.1', port: await freePort() };
    executioner.leadTo(listen);
    const vessels = [{ owner: donation.owner, users: [], restrictions: restrictionsOf(63_100) }];
    const more = { advertise: [executioner.address], gateway: donation.gateway, relay: false, warm: 0 };
    await mkdir(state, { mode: 0o700 });
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify({ listen, vessels, ...more }), { mode: 0o600 });
  }
  async function start(): Promise<void> {
    node = new NodeManager({ state: join(world.directory, 'node') });
    await node.start();
  }
  const strike = (): void => {
    kills += 1;
    killed = backendOf(site.process.pid);
    process.kill(killed, 'SIGKILL');
  };

  const row = (sql: string): Record<string, unknown> => database.prepare(sql).get() as Record<string, unknown>;
  const write = (sql: string): void => void database.exec(sql);
  const lifeOf = (): unknown => row('SELECT life FROM nodes WHERE life IS NOT NULL')?.life;
  const isSettled = (): boolean => row("SELECT count(*) AS n FROM tasks WHERE state IN ('waiting', 'claimed')").n === 0;
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** What the node says of its vessel. */
  async function vesselNow() {
    await using client = await NodeClient.connect({ address: node.address, identity: key });
    const [vessel] = (await client.call('GetVessels', {})).result.vessels;
    assert.ok(vessel);
    return vessel;
  }
  const isFree = (): boolean => row("SELECT count(*) AS n FROM vessels WHERE state = 'free'").n === 1;
  /** The gateway cuts off a node whose users change as often as here (`gatewayMessagesPerMinute`), and it dials again. */
  async function acquire(): Promise<void> {
    for (;;) {
      await until(() => row('SELECT connected FROM nodes WHERE life IS NOT NULL').connected === 1);
      const { vessels, code } = await user.ask('/vessels/acquire', { count: 1 });
      if (vessels?.length === 1) return;
      assert.equal(code, 'UNABLE_TO_ACQUIRE');
    }
  }
  /** Held, and with a file in it. */
  async function used(): Promise<void> {
    await acquire();
    await until(isSettled);
    await using client = await NodeClient.connect({ address: node.address, identity: key });
    const [name, vessel] = ['left.txt' as FileName, 'v1' as VesselName];
    await client.call('AddFileToVessel', { vessel, name }, { attachment: Buffer.from('by its former holder') });
  }
  async function changeKey(): Promise<void> {
    key = generateIdentity();
    const keyProof = await signKeyProof(key, { audience: site.url, subject: 'user' });
    await user.ask('/account/key', { current: 'secret of user', keyProof });
  }

  const STEPS: Readonly<Record<string, Step>> = {
    'makes a donor’s key': {
      begin: async () => {
        accounts += 1;
        await new User(site.url).join(`donor${accounts}`);
      },
    },
    'hands a vessel to its holder': { begin: acquire, user: () => key },
    'hands a vessel to its holder’s new key': { prepare: acquire, begin: changeKey, user: () => key },
    'empties a vessel that was released': {
      prepare: used,
      begin: async () => await user.ask('/vessels/release', { all: true }),
    },
    'empties a vessel whose lease has run out': {
      prepare: used,
      begin: async () => write("UPDATE vessels SET expires_at = 1 WHERE state = 'leased'"),
      ended: isFree,
    },
    'stops what runs everywhere': {
      prepare: acquire,
      begin: async () => await admin.ask('/admin/emergency-stop', { reason: 'a test' }),
    },
    'finds that a node has less than it gave': {
      begin: async () => {
        write("UPDATE vessels SET restrictions = replace(restrictions, 'memory 5', 'memory 6')");
        write('UPDATE nodes SET inspect_at = 1 WHERE life IS NOT NULL');
      },
      life: 'broken',
    },
    'takes a broken node back that an administrator believes': {
      prepare: async () => write("UPDATE nodes SET life = 'broken' WHERE life IS NOT NULL"),
      begin: async () => await admin.ask(`/admin/nodes/${node.id}/retry`, {}),
    },
  };

  /** Back to a node that is offered and empty. */
  async function idle(): Promise<void> {
    await admin.ask('/admin/emergency-stop/lift', {});
    await until(isSettled);
    if (lifeOf() === 'broken') await admin.ask(`/admin/nodes/${node.id}/retry`, {});
    await user.ask('/vessels/release', { all: true });
    await until(() => lifeOf() === 'offered' && isFree() && isSettled());
  }

  /** @returns how often the backend has sent something. */
  async function carryOut(
    { prepare, begin, life = 'offered', ended = () => true, user: holder }: Step,
    at: number,
    moment: Moment,
  ) {
    await prepare?.();
    await until(isSettled);
    executioner.watch({ at, moment, strike });
    await begin();
    await until(() => lifeOf() === life && ended() && isSettled());
    const { flights, hasStruck } = executioner;
    const { state, users } = await vesselNow();
    const expected = holder === undefined ? [] : [holder().id];
    assert.deepEqual({ state, users }, { state: 'Fresh', users: expected }, `killed ${moment} ${at}`);
    return { flights, hasStruck };
  }

  for (const [name, step] of Object.entries(STEPS)) {
    it(`${name}, and comes to the same end`, async () => {
      await idle();
      const { flights } = await carryOut(step, Number.POSITIVE_INFINITY, 'before');
      strike(); // All is written, and whom it tells has not heard.
      if (flights === 0) {
        await until(() => ![undefined, killed].includes(findBackend(site.process.pid)));
        await step.begin();
        strike();
        await until(isSettled);
      }
      // Before anything was sent, and around each request: what is between these is a handshake, which leaves nothing.
      const all = Array.from({ length: Math.max(0, flights - handshake) }, (_, index) => handshake + 1 + index);
      // Of a row of questions, which change nothing, the first and the last.
      const requests = all.length > MOST ? [all[0] ?? 1, all.at(-1) ?? 1] : all;
      const moments = requests.flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]);
      for (const [at, moment] of flights === 0 ? [] : [[1, 'before'] as const, ...moments]) {
        await idle();
        const { hasStruck, flights: got } = await carryOut(step, at, moment);
        // To its farewell there is no answer.
        if (moment === 'before') assert.equal(hasStruck, got >= at, `${moment} ${at}`);
      }
    });
  }

  it('has by then done every kind of task, and the ledger adds up', async () => {
    const done = database.prepare("SELECT DISTINCT kind FROM tasks WHERE state = 'done'").all() as { kind: string }[];
    // What splits a node is another file's: kill-backend.spec.ts.
    const kinds = taskSchema.options.map(({ shape }) => shape.kind.value).filter((kind) => kind !== 'split-node');
    assert.deepEqual(done.map(({ kind }) => kind).sort(), kinds.sort());
    assert.ok(kills > 3 * Object.keys(STEPS).length, `only ${kills} kills`);
    await checkLedger(site.state);
  });
});
