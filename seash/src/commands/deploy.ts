import { z } from 'zod';
import { failureSchema } from '../bulk.ts';
import { command } from '../command.ts';
import { type Declared, loadDeclared, loadForDestruction } from '../deploy/declared.ts';
import { Deployer, type Outcome } from '../deploy/deployer.ts';
import { contextOf, placeFor } from '../deploy/sources.ts';
import { watch } from '../deploy/watch.ts';
import { changeOf, doneText, planText } from '../deploy/words.ts';
import type { Context } from '../session.ts';
import { type Style, visibleAll } from '../style.ts';
import { agreed, YES } from '../sure.ts';

const changeSchema = z.object({
  change: z.enum(['acquire', 'create', 'update', 'start', 'renew', 'remove', 'release']),
  name: z.string().optional(),
  count: z.int().optional(),
  index: z.int().optional(),
  why: z.string(),
});

const result = z.object({
  deployment: z.string(),
  version: z.string(),
  changes: z.array(changeSchema),
  notes: z.array(z.object({ name: z.string(), why: z.string() })),
  /** Whether nothing is left to do, and nothing is wrong. */
  asDeclared: z.boolean(),
  failed: z.array(failureSchema),
});

const slots = [{ name: 'FILE', kind: 'file' }] as const;

const apply = command({
  name: 'apply',
  summary: 'Bring vessels to the state that the deployment FILE declares; what is so already is left alone.',
  slots,
  options: [{ name: 'watch', summary: 'Stay, and keep it there until Ctrl-C.' }, YES],
  example: 'apply --yes deployment.yaml',
  result,
  run: async (context, { FILE, watch: stays, yes: isSure }) => {
    const path = context.session.path(FILE);
    const load = async (check: boolean) => await loadDeclared(context, { path, shown: FILE, check });
    const declared = await load(true);
    const own = await contextOf(context, declared);
    const deployer = new Deployer(own, placeFor(own, declared), {
      onChange: async (change) => (stays ? await context.tell({ event: 'change', ...change }) : undefined),
    });
    if (!isSure) await confirmed(context, declared, await plannedBy(deployer, declared));
    const outcome = await deployer.apply(declared);
    if (!stays) return resultOf(declared, outcome);
    return resultOf(...(await watch(deployer, { context: own, declared, outcome, load })));
  },
  render: ({ deployment, version, changes, notes, asDeclared }, style) => {
    const name = `${style.strong(deployment)} ${version}`;
    const nothing = asDeclared ? 'is as declared, nothing was to be done' : 'is not as declared';
    const end = changes.length === 0 ? `${name} ${nothing}.` : `${name}: ${doneText(changes)}.`;
    return linesOf(planText(changes, notes, style), end);
  },
});

const diff = command({
  name: 'diff',
  summary: 'Show what "apply" would do, and do nothing; the exit code is 2 if that is anything.',
  slots,
  example: 'diff deployment.yaml',
  result: result.extend({ exitCode: z.int() }),
  run: async (context, { FILE }) => {
    const path = context.session.path(FILE);
    const declared = await loadDeclared(context, { path, shown: FILE, check: true });
    const own = await contextOf(context, declared);
    const planned = resultOf(declared, await plannedBy(new Deployer(own, placeFor(own, declared)), declared));
    const isEmpty = planned.changes.length === 0;
    return { ...planned, asDeclared: planned.asDeclared && isEmpty, exitCode: isEmpty ? 0 : 2 };
  },
  render: renderPlan,
});

const destroy = command({
  name: 'destroy',
  summary: 'Stop and empty the vessels of the deployment FILE, and give back what it has acquired.',
  slots,
  options: [YES],
  example: 'destroy --yes deployment.yaml',
  result: result.omit({ asDeclared: true }),
  run: async (context, { FILE, yes: isSure }) => {
    const declared = await loadForDestruction(context.session.path(FILE), FILE);
    const own = await contextOf(context, declared);
    const deployer = new Deployer(own, placeFor(own, declared));
    if (!isSure) await confirmed(context, declared, await deployer.destruction(declared));
    const { asDeclared: _, ...rest } = resultOf(declared, await deployer.destroy(declared));
    return rest;
  },
  render: ({ deployment, changes }, style) => {
    const done = changes.length === 0 ? 'there was nothing of it' : doneText(changes);
    return linesOf(planText(changes, [], style), `${style.strong(deployment)}: ${done}.`);
  },
});

export const deployCommands = [apply, diff, destroy];

async function plannedBy(deployer: Deployer, declared: Declared): Promise<Outcome> {
  const look = await deployer.look(declared, true);
  return { ...deployer.outcome(declared, look), changes: look.plan.steps.map((step) => changeOf(step, look)) };
}

function resultOf(declared: Declared, outcome: Outcome): z.infer<typeof result> {
  return { deployment: declared.name, version: declared.version, ...outcome, asDeclared: outcome.failed.length === 0 };
}

/** Shows the plan and asks; there is nothing to ask about nothing. @throws CommandError CANCELLED */
async function confirmed(context: Context, declared: Declared, planned: Outcome): Promise<void> {
  if (planned.changes.length === 0) return;
  const facts = visibleAll(resultOf(declared, planned)) as z.infer<typeof result>;
  await agreed(context, (style) => `${renderPlan(facts, style)}\nDo it? [y/N] `);
}

function renderPlan({ deployment, version, changes, notes }: z.infer<typeof result>, style: Style): string {
  const head = `${style.strong(deployment)} ${version}`;
  return linesOf(`${head}:${changes.length === 0 ? ' nothing to do.' : ''}`, planText(changes, notes, style));
}

function linesOf(...parts: readonly string[]): string {
  return parts.filter(Boolean).join('\n');
}
