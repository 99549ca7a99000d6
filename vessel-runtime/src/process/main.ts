import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EVENT } from '@potluck/repy-api';
import type { StartFrame } from '../frames.ts';
import { Calls } from './calls.ts';
import { Destinations } from './destination.ts';
import { Meter } from './meter.ts';
import { operations } from './operations.ts';
import { leave, onEnd, readFrames, writeFrame } from './pipe.ts';
import { Program } from './program.ts';
import { heapMib, type Ivm, makeSandbox, type Sandbox } from './sandbox.ts';
import { Stops } from './stops.ts';
import { World, type WorldInit } from './world.ts';

/**
 * A vessel process: `node [flags] vessel.mjs NATIVE [MIB [waits]]`. It makes an isolate for a heap of MIB, tidies up if it
 * will have to wait, says `ready`, waits for the one `start` frame, and runs that program until it ends.
 */
const USUAL_MIB = 32;
const USAGE_MS = 1000;

type Operation = ReturnType<typeof operations>;

async function main([native = '', mib = '', waits = '']: string[]): Promise<void> {
  const { ivm } = createRequire(import.meta.url)(native) as { ivm: Ivm };
  let operation: Operation = () => -1;
  const forward: Operation = (...args) => operation(...args);
  let sandbox = makeSandbox(ivm, Number(mib) || USUAL_MIB, forward);
  rehearse(sandbox);
  dropPermissions();
  const calls = new Calls(writeFrame);
  const stops = new Stops();
  let program: Program | undefined;
  const starting = readFrames({ calls, stops, stop: (reason) => program?.enter(EVENT.stop, reason) });
  if (waits !== '') tidy();
  writeFrame({ type: 'ready' });
  const start = await starting;
  const limitMib = heapMib(start.restrictions.quantities.memory ?? 0);
  if (limitMib !== sandbox.limitMib) {
    sandbox.isolate.dispose();
    sandbox = makeSandbox(ivm, limitMib, forward);
  }
  program = new Program(sandbox, start.program, start.layers);
  const world = worldOf(start, program, { calls, stops });
  program.world = world;
  stops.begin();
  operation = operations(world, () => sandbox);
  world.meter.acquire('events');
  reportUsage(world.meter);
  program.run(start.args);
}

/** What Node loads and compiles at its first use is there before anybody waits: about half of the time of a start. */
function rehearse(sandbox: Sandbox): void {
  const program = { name: 'rehearsal.js', source: '' };
  const restrictions = { quantities: { events: 1 }, messport: [], connport: [], destinations: [] };
  const network = { addresses: ['127.0.0.1'], interfaces: [], rules: [] };
  const start = { type: 'start', program, args: [], address: '127.0.0.1', network, restrictions } as const;
  const world = worldOf({ ...start, args: [] }, new Program(sandbox, program), {
    calls: new Calls(writeFrame),
    stops: new Stops(),
  });
  operations(world, () => sandbox);
  world.meter.acquire('events');
  world.meter.rate('netsend').take(0, performance.now());
  sandbox.isolate.compileModuleSync(program.source);
}

/** Gives back what only the way up to here needed: 3 MiB of a process that may wait for days. It takes 15 ms. */
function tidy(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  // The program's world may still be made anew, and must not find it there.
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** All is loaded: from here on there is no file to read and no native code to load. */
function dropPermissions(): void {
  const permission = process.permission as unknown as { drop?: (scope: string) => void } | undefined;
  permission?.drop?.('fs.read');
  permission?.drop?.('addon');
}

type Told = Pick<WorldInit, 'calls' | 'stops'>;

function worldOf({ address, network, restrictions }: StartFrame, program: Program, told: Told): World {
  const { addresses, interfaces, rules } = network;
  const init = {
    meter: new Meter(restrictions.quantities),
    destinations: new Destinations({ addresses, interfaces, rules: [rules, restrictions.destinations] }),
    ...told,
    address,
    addresses,
    messports: new Set(restrictions.messport),
    connports: new Set(restrictions.connport),
  };
  return new World(init, program.enter);
}

function reportUsage(meter: Meter): void {
  let last = '';
  const report = () => {
    const usage = meter.usage();
    const text = JSON.stringify(usage);
    if (text !== last) writeFrame({ type: 'usage', usage });
    last = text;
  };
  setInterval(report, USAGE_MS).unref();
  onEnd(report);
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`vessel: ${error.stack}\n`);
  leave(70);
});
await main(process.argv.slice(2));
