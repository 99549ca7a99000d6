import type { KeyId, VesselName } from '@potluck/protocol';

/** What a request asks for; `as` signs it. */
export type Deed = { readonly as: KeyId; readonly vessel: VesselName } & (
  | { readonly method: 'ChangeOwner'; readonly owner: KeyId }
  | { readonly method: 'ChangeUsers'; readonly users: readonly KeyId[] }
  | { readonly method: 'SplitVessel' | 'StartVessel' | 'StopVessel' | 'ResetVessel' }
  | { readonly method: 'JoinVessels'; readonly other: VesselName }
  | { readonly method: 'AddFileToVessel'; readonly name: string }
);

export interface ModelVessel {
  readonly owner: KeyId;
  readonly users: readonly KeyId[];
  readonly files: readonly string[];
  readonly state: 'Fresh' | 'Started' | 'Stopped';
}

/** The vessels of a node, by name. */
export type Model = Readonly<Record<string, ModelVessel>>;

export const PROGRAM = 'p.js';
const OWNERS: readonly string[] = ['ChangeOwner', 'ChangeUsers', 'SplitVessel', 'JoinVessels'];

/** @returns what a node would answer that does one thing after the other, and what it then is. */
export function act(model: Model, deed: Deed): { code: string; next: Model } {
  const old = model[deed.vessel];
  const other = deed.method === 'JoinVessels' ? model[deed.other] : undefined;
  const no = (code: string) => ({ code, next: model });
  if (old === undefined || (deed.method === 'JoinVessels' && other === undefined)) return no('NO_SUCH_VESSEL');
  const isOwner = [old, ...(other ? [other] : [])].every(({ owner }) => owner === deed.as);
  if (!isOwner && (OWNERS.includes(deed.method) || !old.users.includes(deed.as))) return no('NOT_PERMITTED');
  const ok = (change: Partial<ModelVessel>) => ({
    code: 'ok',
    next: { ...model, [deed.vessel]: { ...old, ...change } },
  });
  switch (deed.method) {
    case 'ChangeOwner':
      return ok({ owner: deed.owner });
    case 'ChangeUsers':
      return ok({ users: deed.users });
    case 'AddFileToVessel':
      return ok({ files: [...new Set([...old.files, deed.name])].sort() });
    case 'ResetVessel':
      return ok({ files: [], state: 'Fresh' });
    case 'StopVessel':
      return old.state === 'Started' ? ok({ state: 'Stopped' }) : no('BAD_STATE');
    case 'StartVessel':
      if (old.state === 'Started') return no('BAD_STATE');
      return old.files.includes(PROGRAM) ? ok({ state: 'Started' }) : no('NO_SUCH_FILE');
    default:
      return replace(model, deed, [old, ...(other ? [other] : [])]);
  }
}

/** Split and join: new names, the rights of the first, and nothing else of the old ones. */
function replace(model: Model, deed: Deed, old: readonly ModelVessel[]): { code: string; next: Model } {
  if (old.some(({ state }) => state === 'Started')) return { code: 'BAD_STATE', next: model };
  const gone = ['other' in deed ? deed.other : deed.vessel, deed.vessel];
  const last = Math.max(...Object.keys(model).map((name) => Number(name.slice(1))));
  const names = 'other' in deed ? [last + 1] : [last + 1, last + 2];
  const fresh = { owner: old[0]?.owner, users: old[0]?.users, files: [], state: 'Fresh' } as unknown as ModelVessel;
  const kept = Object.entries(model).filter(([name]) => !gone.includes(name as VesselName));
  return { code: 'ok', next: Object.fromEntries([...kept, ...names.map((number) => [`v${number}`, fresh] as const)]) };
}

/**
 * @param codes what each was answered; BUSY may be answered at any time, and changes nothing.
 * @returns an order in which each answer is true and all lead to the end, or undefined when there is none.
 */
export function serialOrder(
  begin: Model,
  end: Model,
  deeds: readonly (Deed & { code: string })[],
): string[] | undefined {
  const dead = new Set<string>();
  const wanted = JSON.stringify(sorted(end));
  const search = (model: Model, left: readonly (Deed & { code: string })[]): string[] | undefined => {
    if (left.length === 0) return JSON.stringify(sorted(model)) === wanted ? [] : undefined;
    const key = `${JSON.stringify(sorted(model))} ${left.map((deed) => deeds.indexOf(deed))}`;
    if (dead.has(key)) return undefined;
    for (const deed of left) {
      const { code, next } = act(model, deed);
      if (code !== deed.code) continue;
      const rest = search(
        next,
        left.filter((one) => one !== deed),
      );
      if (rest !== undefined) return [deed.method, ...rest];
    }
    dead.add(key);
    return undefined;
  };
  return search(
    begin,
    deeds.filter(({ code }) => code !== 'BUSY'),
  );
}

function sorted(model: Model): Model {
  return Object.fromEntries(
    Object.entries(model)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, { owner, users, files, state }]) => [name, { owner, users, files, state }]),
  );
}
