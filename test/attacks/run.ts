import { pathToFileURL } from 'node:url';
import { describeError } from '@potluck/protocol';
import { bundleProgram } from '@potluck/repy-api';
import type { OuterWall } from '@potluck/vessel-runtime';
import { type Attack, expectedOf } from './catalogue.ts';
import { Peak } from './meter.ts';
import { type Drive, Scene } from './scene.ts';
import type { World } from './world.ts';

/** What came of one attack in one world. */
export interface Outcome {
  readonly attack: Attack;
  /** Walls that were taken away for it, and all that were missing. */
  readonly without: readonly OuterWall[];
  readonly missing: readonly OuterWall[];
  /** In the words of `Attack.expected`, or why it was not run, or what it damaged. */
  readonly told: string;
  readonly verdict: 'as expected' | 'not run' | 'wrong';
  readonly ms: number;
  /** What a person wants to read when it is wrong: the message of the ending, the end of the log. */
  readonly detail: string;
}

/** Runs one attack, and looks afterwards at all that it must not have touched. */
export async function runAttack(world: World, attack: Attack): Promise<Outcome> {
  const { missing, without } = world;
  const startedMs = performance.now();
  const unsafe = missing.filter((wall) => !attack.safeWithout.includes(wall));
  const notRun = unsafe.length > 0 ? `not run without ${unsafe[0]}` : '';
  const memory = memoryOf(attack);
  const peak = memory === undefined || notRun ? undefined : new Peak(world.managerPid);
  const performed = notRun ? { told: notRun, detail: '' } : await perform(world, attack);
  const over = peak?.end(memory ?? 0) ?? 0;
  const told = over > 0 ? 'open: more than its memory' : performed.told;
  const detail = over > 0 ? `${Math.ceil(over / 2 ** 20)} MiB beyond a tenth more` : performed.detail;
  const damage = notRun ? [] : await world.damage();
  const ms = performance.now() - startedMs;
  if (damage.length > 0)
    return { attack, without, missing, told: `${told}; ${damage.join('; ')}`, verdict: 'wrong', ms, detail };
  const expected = expectedOf(attack, missing).split(' or ');
  const right = told.split(', then ').every((one) => expected.some((wanted) => fits(one, wanted)));
  return { attack, without, missing, told, verdict: notRun ? 'not run' : right ? 'as expected' : 'wrong', ms, detail };
}

/** @returns the memory of an attack's vessel where it is the point of the attack, in bytes. */
function memoryOf({ restrictions }: Attack): number | undefined {
  const line = restrictions.find((text) => text.startsWith('resource memory '));
  return line === undefined ? undefined : Number(line.split(' ')[2]);
}

/** `open: ...` stands for whatever depends on the machine. */
function fits(told: string, wanted: string): boolean {
  return wanted.endsWith('...') ? told.startsWith(wanted.slice(0, -3)) : told === wanted;
}

async function perform(world: World, attack: Attack): Promise<{ told: string; detail: string }> {
  try {
    await using client = await world.client(world.user);
    const scene = new Scene(world, attack, client);
    try {
      const told = await act(scene);
      return { told, detail: scene.detail };
    } finally {
      await scene.reset();
    }
  } catch (error) {
    return { told: `failed: ${describeError(error)}`, detail: '' };
  }
}

async function act(scene: Scene): Promise<string> {
  const { kind, path, variants } = scene.attack;
  if (kind === 'driven') {
    const { run } = (await import(pathToFileURL(path).href)) as { run: Drive };
    return await run(scene);
  }
  const source = kind === 'program' ? (await bundleProgram(path)).source : '// another stands in its place\n';
  const outcomes = new Set<string>();
  for (const variant of variants.length > 0 ? variants : ['']) outcomes.add(await actOne(scene, source, variant));
  return [...outcomes].join(', then ');
}

async function actOne(scene: Scene, source: string, variant: string): Promise<string> {
  await scene.reset();
  await scene.perform(source, variant);
  if (scene.attack.stop && (await scene.logged('running'))) await scene.stop();
  return await scene.outcome();
}
