import { OP } from '@potluck/repy-api';
import type { Primitive, World } from './world.ts';

/** CPU seconds are told in steps of this: what is finer would be a clock for side channels. */
const CPU_STEPS_PER_SECOND = 100;

/**
 * What a program may have, what it uses, and the tasks that it runs.
 * @param heapBytes what the program's heap holds
 */
export function resources(world: World, heapBytes: () => number): Record<number, () => Primitive> {
  const idleCpu = process.cpuUsage();
  let tasks = 0;
  return {
    [OP.taskbegin]: () => {
      world.meter.acquire('events');
      tasks += 1;
      return 1;
    },
    [OP.taskend]: () => {
      if (tasks === 0) return 0;
      tasks -= 1;
      world.meter.release('events');
      return 1;
    },
    [OP.getresources]: () => {
      const { user, system } = process.cpuUsage(idleCpu);
      const cpu = Math.floor(((user + system) / 1e6) * CPU_STEPS_PER_SECOND) / CPU_STEPS_PER_SECOND;
      return JSON.stringify(report(world, { cpu, memory: heapBytes() }));
    },
  };
}

function report(world: World, measured: { cpu: number; memory: number }): unknown {
  const { limits } = world.meter;
  const unused = Object.fromEntries(Object.keys(limits).map((name) => [name, 0]));
  return {
    limits: { ...limits, messport: [...world.messports], connport: [...world.connports] },
    usage: { ...unused, ...world.meter.usage(), ...world.calls.told, ...measured },
    stoptimes: world.stops.list,
  };
}
