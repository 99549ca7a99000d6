import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Doing, type Member, type Plan, planOf, type Seen, type Step, type Wanted } from '../src/deploy/plan.ts';

const DAY = 86_400_000;
const HEALTHY = 5000;

const wantedArbitrary: fc.Arbitrary<Wanted> = fc.record({
  version: fc.constant('new'),
  count: fc.integer({ min: 1, max: 5 }),
  acquires: fc.boolean(),
  args: fc.constantFrom([], ['{{index}}'], ['x', '{{peers}}'], ['{{first}}', '{{count}}']),
  renew: fc.constant(DAY),
  restart: fc.record({
    when: fc.constantFrom('never', 'on-failure', 'always'),
    atMost: fc.integer({ min: 1, max: 3 }),
    firstDelay: fc.constant(1000),
    longestDelay: fc.constant(4000),
  }),
  rollout: fc.record({ atOnce: fc.integer({ min: 1, max: 3 }), healthyAfter: fc.constant(HEALTHY) }),
});

const memberArbitrary: fc.Arbitrary<Member> = fc.record({
  index: fc.integer({ min: 0, max: 6 }),
  version: fc.constantFrom('new', 'old', 'older'),
  args: fc.constantFrom([], ['0'], ['x']),
  changed: fc.option(fc.constant('its file x was changed'), { nil: undefined, freq: 5 }),
  doing: fc.constantFrom<Doing>('new', 'started', 'finished', 'failed', 'stopped', 'lost'),
  why: fc.constant('it ended'),
  restarts: fc.integer({ min: 0, max: 4 }),
  dueAt: fc.integer({ min: 0, max: 4000 }),
  provenAt: fc.integer({ min: 0, max: HEALTHY }),
  ours: fc.constant(false),
});

const vesselArbitrary = fc.record({
  situation: fc.constantFrom<Seen['situation']>('free', 'member', 'member', 'taken', 'away'),
  lost: fc.boolean(),
  member: memberArbitrary,
  known: fc.boolean(),
  expiresAt: fc.option(fc.integer({ min: 0, max: 3 * DAY }), { nil: undefined }),
});

const worldArbitrary = fc.array(vesselArbitrary, { maxLength: 8 }).map((vessels) =>
  vessels.map(({ situation, lost, member, known, expiresAt }, index): Seen => {
    const base = { key: `N${index}:v1`, ip: `10.0.0.${index}`, port: 63100, situation, expiresAt };
    if (situation === 'member') return { ...base, member };
    if (situation === 'away') return { ...base, lost, ...(known ? { member } : { why: 'does not answer' }) };
    return situation === 'taken' ? { ...base, why: 'is taken' } : base;
  }),
);

/** What the steps make of a world in which every node does as it is told. */
class World {
  vessels: Seen[];
  now = 0;
  readonly #wanted: Wanted;
  readonly #fails: boolean;
  #last = 100;

  constructor(wanted: Wanted, vessels: readonly Seen[], fails = false) {
    this.#wanted = wanted;
    this.vessels = [...vessels];
    this.#fails = fails;
  }

  plan(asked: boolean): Plan {
    return planOf(this.#wanted, this.vessels, { now: this.now, asked });
  }

  carryOut(step: Step): void {
    if (step.do === 'acquire') {
      for (let n = 0; n < step.count; n += 1) {
        this.#last += 1;
        const key = `N${this.#last}:v1`;
        this.vessels.push({
          key,
          ip: `10.0.1.${this.#last}`,
          port: 63100,
          situation: 'free',
          expiresAt: this.now + 7 * DAY,
        });
      }
      return;
    }
    const at = this.vessels.findIndex(({ key }) => key === step.key);
    const { member: old, ...vessel } = this.vessels[at] ?? assert.fail(`no ${step.key}`);
    if (step.do === 'renew')
      this.vessels[at] = { ...vessel, ...(old && { member: old }), expiresAt: this.now + 7 * DAY };
    else if (step.do === 'release' || (step.do === 'remove' && vessel.expiresAt !== undefined))
      this.vessels.splice(at, 1);
    else if (step.do === 'remove') this.vessels[at] = { ...vessel, situation: 'free' };
    else if ('args' in step) this.vessels[at] = { ...vessel, situation: 'member', member: this.#started(step, old) };
  }

  #started(step: Extract<Step, { args: readonly string[] }>, old: Member | undefined): Member {
    const isNew = step.do !== 'start';
    const version = isNew ? this.#wanted.version : (old?.version ?? '');
    const doing = this.#fails && version === 'new' ? 'failed' : 'started';
    const restarts = isNew ? 0 : (old?.restarts ?? 0) + 1;
    const base = {
      index: isNew ? step.index : (old?.index ?? 0),
      version,
      args: step.args,
      why: 'it failed',
      restarts,
    };
    return { ...base, doing, dueAt: this.now + 1000, provenAt: this.now + HEALTHY, ours: true };
  }

  /** Until there is nothing to do and nothing to wait for. @returns the last plan */
  settle(asked: boolean, check: (plan: Plan) => void = () => undefined): Plan {
    for (let round = 0; round < 200; round += 1) {
      const plan = this.plan(asked);
      check(plan);
      for (const step of plan.ready) this.carryOut(step);
      if (plan.ready.length === 0 && plan.proving.length === 0) return plan;
      if (plan.ready.length === 0) this.now += HEALTHY;
    }
    return assert.fail('it does not come to an end');
  }

  /** As another process sees it: nothing was started by it. */
  forgetful(): World {
    const vessels = this.vessels.map((vessel) => {
      const { member } = vessel;
      return member ? { ...vessel, member: { ...member, ours: false, provenAt: this.now + HEALTHY } } : vessel;
    });
    const world = new World(this.#wanted, vessels, this.#fails);
    world.now = this.now;
    return world;
  }
}

const newOnes = ({ vessels }: World): Seen[] => vessels.filter(({ member }) => member?.version === 'new');

describe('a plan', () => {
  it('carried out leads to a state for which the plan is empty, also for another process', () => {
    fc.assert(
      fc.property(wantedArbitrary, worldArbitrary, fc.boolean(), (wanted, vessels, asked) => {
        const world = new World(wanted, vessels);
        const { steps, faults } = world.settle(asked);
        assert.deepEqual(steps, []);
        if (!asked && faults.some(({ code }) => code === 'ROLLOUT_FAILED')) return; // It waits for a restart, or for another version.
        const again = world.forgetful().plan(true);
        const restarted = again.steps.every((step) => step.do === 'start'); // Restarts that were given up before.
        assert.ok(asked ? again.steps.length === 0 : restarted, JSON.stringify(again));
      }),
      { numRuns: 2000 },
    );
  });

  it('goes on where a member was lost with its node and is not started again', () => {
    const restart = { when: 'never', atMost: 1, firstDelay: 1000, longestDelay: 4000 } as const;
    const rollout = { atOnce: 1, healthyAfter: HEALTHY };
    const wanted = { version: 'new', count: 2, acquires: false, args: ['{{index}}'], renew: DAY, restart, rollout };
    const member = { version: 'new', why: 'it ended', restarts: 0, dueAt: 0, provenAt: 0, ours: false };
    const seen = (index: number, args: string[], doing: Member['doing']): Seen => {
      const at = { key: `N${index}:v1`, ip: '10.0.0.1', port: 63_100, situation: 'member' } as const;
      return { ...at, member: { ...member, index, args, doing } };
    };
    const world = new World(wanted, [seen(0, ['0'], 'lost'), seen(1, [], 'new')]);
    assert.deepEqual(world.settle(false).steps, []);
    assert.deepEqual(world.vessels[1]?.member?.args, ['1']);
  });

  it('without a fault means that as many members as are wanted do what is declared', () => {
    fc.assert(
      fc.property(wantedArbitrary, worldArbitrary, (wanted, vessels) => {
        const world = new World(wanted, vessels);
        const { faults } = world.settle(true);
        fc.pre(faults.length === 0);
        const members = world.vessels.filter(({ situation }) => situation === 'member');
        assert.equal(members.length, wanted.count);
        for (const { member } of members) {
          assert.ok(
            member?.version === 'new' && ['started', 'finished'].includes(member.doing),
            JSON.stringify(member),
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('brings a new version to no more vessels at a time than may be unproven', () => {
    fc.assert(
      fc.property(wantedArbitrary, worldArbitrary, (wanted, vessels) => {
        const world = new World(wanted, vessels);
        world.settle(true, ({ steps, ready }) => {
          if (!steps.some((step) => step.do === 'update')) return;
          const changing = new Set(steps.flatMap((step) => ('key' in step && step.do !== 'start' ? step.key : [])));
          const unproven = newOnes(world).filter(({ key, situation, member }) => {
            return situation === 'member' && !changing.has(key) && member?.ours && member.provenAt > world.now;
          });
          const more = ready.filter((step) => step.do === 'update' || step.do === 'create');
          assert.ok(more.length === 0 || unproven.length + more.length <= wanted.rollout.atOnce);
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('never lets a version that fails reach more than the first few of those that run another one', () => {
    const running = fc.array(fc.constant(undefined), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(wantedArbitrary, running, fc.boolean(), (base, { length }, asked) => {
        const wanted = { ...base, count: length, acquires: false };
        const old = {
          version: 'old',
          args: [],
          doing: 'started',
          why: '',
          restarts: 0,
          dueAt: 0,
          provenAt: 0,
          ours: false,
        } as const;
        const vessels = Array.from({ length }, (_, index): Seen => {
          const place = { key: `N${index}:v1`, ip: `10.0.0.${index}`, port: 63100 };
          return { ...place, situation: 'member', member: { ...old, index } };
        });
        const world = new World(wanted, vessels, true);
        const { faults } = world.settle(asked);
        assert.equal(newOnes(world).length, Math.min(length, wanted.rollout.atOnce));
        if (newOnes(world).length < length) assert.ok(faults.some(({ code }) => code === 'ROLLOUT_FAILED'));
        assert.ok(world.vessels.every(({ member }) => member?.version === 'new' || member?.doing === 'started'));
      }),
      { numRuns: 500 },
    );
  });

  it('touches no vessel that is taken or away', () => {
    fc.assert(
      fc.property(wantedArbitrary, worldArbitrary, (wanted, vessels) => {
        const world = new World(wanted, vessels);
        const hands = new Set(
          vessels.filter(({ situation }) => situation === 'taken' || situation === 'away').map(({ key }) => key),
        );
        world.settle(true, ({ steps }) => {
          for (const step of steps) {
            assert.ok(
              !('key' in step) || !hands.has(step.key) || step.do === 'release' || step.do === 'renew',
              JSON.stringify(step),
            );
          }
        });
      }),
      { numRuns: 1000 },
    );
  });
});
