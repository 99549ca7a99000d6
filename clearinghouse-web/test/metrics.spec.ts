import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { backup } from '../src/backup/save.ts';
import type { Api } from './support/api.ts';
import { refuseFirst } from './support/peer.ts';
import { eventually, Site } from './support/site.ts';

type Samples = ReadonlyMap<string, number>;

describe('the metrics of a clearinghouse', () => {
  let site: Site;
  let donor: Api;

  before(async () => {
    site = await Site.start({ metrics: { host: '127.0.0.1', port: 0 } });
    donor = await site.api().join('generous');
  });
  after(async () => await site[Symbol.asyncDispose]());

  async function ask(path = '/metrics'): Promise<{ status: number; text: string }> {
    const { host, port } = site.clearinghouse.metricsAddress ?? assert.fail('expected an address of metrics, got none');
    const response = await fetch(`http://${host}:${port}${path}`);
    return { status: response.status, text: await response.text() };
  }
  async function samples(): Promise<Samples> {
    const lines = (await ask()).text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }

  it('tell of nodes, vessels, tasks and why they failed, of connections, requests and statements, and of nobody', async () => {
    const peers = [await site.peer(donor, 'generous', 2), await site.peer(donor, 'generous', 2)];
    const refused = refuseFirst(peers);
    const acquired = await donor.post('/vessels/acquire', { count: 1 });
    assert.equal(acquired.status, 201, acquired.text);
    const broken = await refused;
    for (const peer of peers) peer.gate = () => undefined;
    await eventually(async () =>
      site.rows("SELECT 1 FROM vessels WHERE state = 'cleaning'").length ? undefined : true,
    );
    site.write("UPDATE nodes SET life = 'broken' WHERE id = ?", broken);
    await donor.get('/vessels/made:up');
    await donor.get(`/made-up-by-a-stranger`);
    const found = await samples();
    const read = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, found.get(name)]));
    const expected = {
      'potluck_nodes{life="offered",connected="true",draining="false"}': 1,
      'potluck_nodes{life="broken",connected="true",draining="false"}': 1,
      'potluck_vessels{state="leased"}': 1,
      'potluck_vessels{state="free"}': 1,
      'potluck_vessels{state="broken"}': 2,
      'potluck_vessels{state="withheld"}': 0,
      'potluck_task_failures{kind="change-users",state="failed",cause="DISK_FULL"}': found.get(
        'potluck_tasks_ended_total{outcome="failed"}',
      ),
      potluck_gateway_connections: 2,
      'potluck_gateway_heartbeats_total{outcome="taken"}': 2,
      'potluck_gateway_heartbeats_total{outcome="refused"}': 0,
      'potluck_gateway_dials_total{outcome="admitted"}': 2,
      potluck_bus_reconnects_total: 0,
      potluck_backend_up: 1,
      potluck_backend_starts_total: 1,
      potluck_database_up: 1,
      potluck_sites: 1,
      potluck_emergency_stop: 0,
      potluck_backup_timestamp_seconds: undefined,
      'potluck_http_request_duration_seconds_count{method="POST",route="/vessels/acquire",status="2xx"}': 1,
      'potluck_http_request_duration_seconds_count{method="GET",route="/vessels/:handle",status="4xx"}': 1,
      'potluck_http_request_duration_seconds_count{method="GET",route="none",status="4xx"}': 1,
    };
    assert.deepEqual(read(Object.keys(expected)), expected);
    const positive = [
      'potluck_database_statement_duration_seconds_count{kind="select"}',
      'potluck_tasks_ended_total{outcome="failed"}',
      'potluck_tasks_ended_total{outcome="done"}',
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
    ];
    for (const name of positive) assert.ok((found.get(name) ?? 0) > 0, name);
    const { text } = await ask();
    for (const word of ['generous', 'made-up', broken, donor.identity.id]) assert.doesNotMatch(text, new RegExp(word));
  });

  it('count as free what can be had, and say 0 when there is nothing of a state', async () => {
    const counts = async (): Promise<unknown[]> => {
      const found = await samples();
      return ['free', 'withheld', 'gone'].map((state) => found.get(`potluck_vessels{state="${state}"}`));
    };
    assert.deepEqual(await counts(), [1, 0, 0]);
    for (const [away, back] of [
      ['draining = 1', 'draining = 0'],
      ['connected = 0', 'connected = 1'],
    ] as const) {
      site.write(`UPDATE nodes SET ${away} WHERE life = 'offered'`);
      assert.deepEqual(await counts(), [0, 1, 0], away);
      site.write(`UPDATE nodes SET ${back} WHERE life = 'offered'`);
    }
  });

  it('count as aborted who did not wait for the answer, and a stream of events as answered when its page is closed', async () => {
    const name = 'potluck_http_request_duration_seconds_count';
    const socket = connect(site.port, '127.0.0.1');
    const head = ['host: x', 'content-type: application/json', 'content-length: 100'];
    socket.end(`POST /vessels/renew HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{`, () => socket.destroy());
    const page = new AbortController();
    const headers = { accept: 'text/event-stream', cookie: donor.cookie };
    const response = await fetch(`${donor.url}/events`, { headers, signal: page.signal });
    await response.body?.getReader().read();
    page.abort();
    const shown = async (route: string): Promise<string[]> =>
      [...(await samples()).keys()]
        .filter((key) => key.startsWith(name) && key.includes(`route="${route}"`))
        .map((key) => /status="(\w+)"/.exec(key)?.[1] ?? '');
    const told = async (route: string): Promise<string[]> =>
      await eventually(async () => ((await shown(route)).length > 0 ? await shown(route) : undefined));
    assert.deepEqual(await told('/vessels/renew'), ['aborted']);
    assert.deepEqual(await told('/events'), ['2xx']);
  });

  it('count what waits by its kind and lateness, and once however many ask at once', async () => {
    const late = Date.now() - 60_000;
    site.write(
      "INSERT INTO tasks (kind, subject, payload, state, attempts, run_at, error, cause, created_at) VALUES ('later', 'x', '{}', 'waiting', 3, ?, 'away', 'UNREACHABLE', ?)",
      Date.now() + 3_600_000,
      late,
    );
    const all = await Promise.all([samples(), samples(), samples()]);
    for (const found of all) {
      assert.equal(found.get('potluck_tasks{kind="later",state="waiting"}'), 1);
      assert.equal(found.get('potluck_task_oldest_due_seconds{kind="later"}'), 0);
      assert.equal(found.get('potluck_task_failures{kind="later",state="waiting",cause="UNREACHABLE"}'), 1);
      assert.equal(found.get('potluck_vessels{state="leased"}'), 1);
    }
  });

  it('and an administrator has what waits tried now, and nothing that has ended', async () => {
    const admin = await site.administrator('operator');
    const [waiting] = site.rows("SELECT id FROM tasks WHERE kind = 'later'");
    const [done] = site.rows("SELECT id FROM tasks WHERE state = 'done'");
    assert.equal((await admin.post(`/admin/tasks/${waiting?.id}/retry`, {})).status, 200);
    const row = async () => site.rows("SELECT state, error, cause FROM tasks WHERE kind = 'later'")[0];
    const tried = await eventually(async () => ((await row())?.state === 'failed' ? await row() : undefined));
    assert.equal(tried.cause, 'BAD_TASK', 'no backend knows such a task');
    for (const id of [waiting?.id, done?.id, 999_999]) {
      assert.equal((await admin.post(`/admin/tasks/${id}/retry`, {})).body.code, 'NO_SUCH_THING');
    }
    assert.equal((await admin.post('/admin/tasks/x/retry', {})).body.code, 'INVALID_REQUEST');
    const { entries } = (await admin.get('/admin/audit?action=task.retry')).body;
    assert.deepEqual(
      entries.map(({ subject }) => subject),
      ['x'],
    );
  });

  it('count a backend that was killed, and say when the newest backup was made', async () => {
    const { clearinghouse } = site;
    const killed = clearinghouse.backendPid ?? assert.fail();
    process.kill(killed, 'SIGKILL');
    await eventually(async () => ((await samples()).get('potluck_backend_starts_total') === 2 ? true : undefined));
    const before = Date.now();
    await backup({ state: join(site.directory, 'state') }, join(site.directory, 'a.backup'));
    const at = (await samples()).get('potluck_backup_timestamp_seconds') ?? 0;
    assert.ok(at * 1000 >= before && at * 1000 <= Date.now(), String(at));
  });

  it('are on an address of their own, not on the site, and nowhere unless asked for', async () => {
    assert.equal((await donor.get('/metrics')).status, 404);
    assert.equal((await ask('/')).status, 404);
    await using without = await Site.start();
    assert.equal(without.clearinghouse.metricsAddress, undefined);
  });
});
