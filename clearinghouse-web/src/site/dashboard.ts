import { countryOf } from './places.ts';
import type { Member, Page } from './route.ts';

/** Vessels that end within this time are named. */
const SOON_MS = 24 * 3_600_000;
const NAMED = 5;

/** Where somebody stands who is logged in, and what there is to do. */
export async function dashboardOf({ store, account }: Member): Promise<Page> {
  const [credits, held, donated] = [
    await store.leases.credits(account.id),
    await store.leases.holdings(account.id),
    await store.survey.donated(account.id),
  ];
  const soon = held
    .filter(({ expiresAt }) => expiresAt < Date.now() + SOON_MS)
    .toSorted((a, b) => a.expiresAt - b.expiresAt);
  return {
    view: 'dashboard',
    title: 'Dashboard',
    data: {
      credits,
      held: held.length,
      away: held.filter(({ active }) => !active).length,
      soon: soon.slice(0, NAMED).map((vessel) => ({ ...vessel, country: countryOf(vessel.reach)?.name })),
      soonInAll: soon.length,
      donated,
      days: await store.history.given(account.id, 14),
      offered: await store.nodes.counts(),
      creditsPerDonation: (await store.policies.current()).creditsPerDonation,
    },
  };
}
