import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileName, NodeClient, VesselName } from '@potluck/protocol';
import { NodeManager } from '../src/index.ts';
import { readAddress } from '../src/status.ts';
import { assertRefused, RawConnection, rejectsWith, requestTo, TestNode, type TestNodeInit } from './support.ts';

const v1 = 'v1' as VesselName;
const PROGRAM = 'secret-name.js' as FileName;
const METRICS = { host: '127.0.0.1', port: 0, anyone: false };

/** A line of the text form: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const SAMPLE = /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="[^"\\]*",?)*)\})? (-?[\d.e+-]+|NaN|Nan|\+Inf)$/;

class Samples {
  readonly #values = new Map<string, number>();
  readonly types = new Map<string, string>();

  constructor(text: string) {
    for (const line of text.trimEnd().split('\n')) {
      const [, type, name = '', kind = ''] = /^# (TYPE|HELP) (\S+) (.+)$/.exec(line) ?? [];
      if (type === 'TYPE') this.types.set(name, kind);
      if (type !== undefined || line === '') continue;
      const [whole, , , value] = SAMPLE.exec(line) ?? assert.fail(`expected a sample, got "${line}"`);
      this.#values.set(whole.slice(0, whole.lastIndexOf(' ')), Number(value));
    }
  }

  of(sample: string): number | undefined {
    return this.#values.get(sample);
  }
}

describe('the metrics of a node manager', () => {
  let node: TestNode;
  let client: NodeClient;
  const start = async (limits: TestNodeInit['limits'] = {}): Promise<void> => {
    node = await TestNode.start({ vessels: 2, config: { metrics: METRICS }, limits: { poolSize: 1, ...limits } });
    client = await node.client(node.user);
  };
  const port = async (): Promise<number> => Number((await readAddress(node.paths)).metrics?.port);
  const ask = async (path = '/metrics', options = {}): Promise<{ status: number | undefined; text: string }> => {
    const asked = request({ host: '127.0.0.1', port: await port(), path, agent: false, ...options }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, text };
  };
  const samples = async (): Promise<Samples> => new Samples((await ask()).text);
  afterEach(() => node[Symbol.asyncDispose]());

  it('count requests by method and outcome, endings, states, connections and resources', async () => {
    await start();
    const attachment = Buffer.from("log('x');");
    await client.call('AddFileToVessel', { vessel: v1, name: PROGRAM }, { attachment });
    await rejectsWith(client.call('RetrieveFileFromVessel', { vessel: v1, name: 'no' as FileName }), 'NO_SUCH_FILE');
    await client.call('StartVessel', { vessel: v1, program: PROGRAM, args: ['secret argument'] });
    while ((await samples()).of('potluck_programs_ended_total{kind="finished"}') !== 1) await delay(10);
    const found = await samples();
    const expected: [string, number][] = [
      ['potluck_requests_total{method="AddFileToVessel",outcome="ok"}', 1],
      ['potluck_requests_total{method="RetrieveFileFromVessel",outcome="NO_SUCH_FILE"}', 1],
      ['potluck_request_duration_seconds_count{method="StartVessel"}', 1],
      ['potluck_vessels{state="Terminated"}', 1],
      ['potluck_vessels{state="Fresh"}', 1],
      ['potluck_vessels{state="Started"}', 0],
      ['potluck_connections', 1],
      ['potluck_vessel_resource_used{vessel="v1",resource="diskused"}', attachment.length + 4096],
      ['potluck_vessel_resource_limit{vessel="v2",resource="memory"}', 60_000_000],
    ];
    for (const [sample, value] of expected) assert.equal(found.of(sample), value, sample);
    while ((await samples()).of('potluck_warm_processes') !== 1) await delay(10);
    assert.ok(Number(found.of('process_resident_memory_bytes')) > 0);
  });

  it('count replays and requests that nobody could read', async () => {
    await start();
    await using raw = await RawConnection.open(node);
    const stop = await requestTo(node, node.user, { method: 'StopVessel', params: { vessel: v1 } });
    assertRefused(await raw.exchange(stop), 'BAD_STATE');
    assertRefused(await raw.exchange(stop), 'REPLAYED');
    assertRefused(await raw.exchange(await requestTo(node, node.user, { method: 'x'.repeat(40) })), 'UNKNOWN_METHOD');
    const found = await samples();
    assert.equal(found.of('potluck_replays_refused_total'), 1);
    assert.equal(found.of('potluck_requests_total{method="StopVessel",outcome="REPLAYED"}'), 1);
    assert.equal(found.of('potluck_requests_total{method="none",outcome="UNKNOWN_METHOD"}'), 1);
  });

  it('are named as Prometheus has it, and say nothing of who and what', async () => {
    await start();
    await client.call('AddFileToVessel', { vessel: v1, name: PROGRAM }, { attachment: Buffer.from('1') });
    const { text } = await ask();
    const { types } = new Samples(text);
    for (const [name, type] of types) {
      assert.match(name, /^(potluck|process|nodejs)_[a-z0-9_]+$/);
      assert.match(text, new RegExp(`^# HELP ${name} .+$`, 'm'));
      if (name.startsWith('potluck_')) assert.equal(name.endsWith('_total'), type === 'counter', name);
      if (type === 'histogram') assert.match(name, /_(seconds|bytes)$/);
    }
    for (const secret of [node.owner.id, node.user.id, node.id, PROGRAM, node.directory.path]) {
      assert.ok(!text.includes(secret), secret);
    }
  });

  it('answer nothing else, and nobody who comes by a name of his own', async () => {
    await start();
    const statuses = [
      (await ask('/')).status,
      (await ask('/metrics', { method: 'POST' })).status,
      (await ask('/metrics', { headers: { host: 'evil.example:80' } })).status,
      (await ask('/metrics', { headers: { host: '[::1]:1' } })).status,
      (await ask('/metrics', { method: 'HEAD' })).status,
    ];
    assert.deepEqual(statuses, [404, 405, 421, 200, 200]);
  });

  it('take as many connections as stated and not one more, and close those that say nothing', async () => {
    await start({ metricsConnections: 2, metricsMs: 500 });
    const to = await port();
    const open = async (): Promise<Socket> => {
      const socket = connect(to, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      await once(socket, 'connect');
      return socket;
    };
    const sockets = [await open(), await open()];
    const closed = sockets.map((socket) => once(socket, 'close'));
    await once(await open(), 'close');
    await Promise.all(closed);
    assert.equal((await ask()).status, 200);
  });

  it('are for this machine alone unless its owner says otherwise, and nowhere unless asked for', async () => {
    await start();
    const elsewhere = { ...METRICS, host: '0.0.0.0' };
    const refused = await TestNode.start({ config: { metrics: elsewhere } }).catch((error: Error) => error);
    assert.ok(refused instanceof Error);
    assert.match(refused.message, /metrics\.host: expected a loopback address, for whoever reaches it/);
    await using open = await TestNode.start({ config: { metrics: { ...elsewhere, anyone: true } } });
    assert.equal((await readAddress(open.paths)).metrics?.host, '0.0.0.0');
    await using without = await TestNode.start();
    assert.equal((await readAddress(without.paths)).metrics, undefined);
  });

  it('say whose port it is that they cannot have', async () => {
    await start();
    const taken = await port();
    await using other = await TestNode.start();
    await other.manager.stop();
    await other.writeConfig({ metrics: { ...METRICS, port: taken } });
    await rejectsWith(new NodeManager({ state: other.directory.path }).start(), 'PORT_IN_USE');
  });
});
