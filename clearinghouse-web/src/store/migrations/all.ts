import type { Migration } from 'kysely/migration';
import { accounts } from './0001-accounts.ts';
import { nodes } from './0002-nodes.ts';
import { vessels } from './0003-vessels.ts';
import { tasks } from './0004-tasks.ts';
import { programs } from './0005-programs.ts';
import { reach } from './0006-reach.ts';
import { administration } from './0008-administration.ts';
import { nodeLife } from './0009-node-life.ts';
import { ledger } from './0010-ledger.ts';
import { accounts as accountsInFull } from './0011-accounts.ts';
import { sites } from './0012-sites.ts';
import { history } from './0014-history.ts';
import { indexes } from './0015-indexes.ts';
import { latency } from './0016-latency.ts';
import { fairQueue } from './0017-fair-queue.ts';
import { closing } from './0018-closing.ts';
import { causes } from './0019-causes.ts';
import { askers } from './0020-askers.ts';

/** Oldest first; a released one is never edited, only followed by another. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-accounts': accounts,
  '0002-nodes': nodes,
  '0003-vessels': vessels,
  '0004-tasks': tasks,
  '0005-programs': programs,
  '0006-reach': reach,
  '0008-administration': administration,
  '0009-node-life': nodeLife,
  '0010-ledger': ledger,
  '0011-accounts': accountsInFull,
  '0012-sites': sites,
  '0014-history': history,
  '0015-indexes': indexes,
  '0016-latency': latency,
  '0017-fair-queue': fairQueue,
  '0018-closing': closing,
  '0019-causes': causes,
  '0020-askers': askers,
};
