import { register, registerForm, session } from './accounts.ts';
import { audit } from './admin/audit.ts';
import { listLeases } from './admin/leases.ts';
import { drainNode, forgetNode, listNodes, retryNode, showNode, undrainNode } from './admin/nodes.ts';
import { liftStop, retryTask, site, stopEverything } from './admin/site.ts';
import { banUser, deleteUser, listUsers, showLedger, showUser, unbanUser } from './admin/users.ts';
import { listCredits } from './credits.ts';
import { deleteAccount } from './deletion.ts';
import { archive, donations, donorPage } from './donations.ts';
import { editor } from './editor.ts';
import { events } from './events.ts';
import { changeKey } from './key.ts';
import { login, loginForm, logout } from './login.ts';
import { map } from './map.ts';
import {
  addPasskey,
  listPasskeys,
  passkeyCreation,
  passkeyLogin,
  passkeyRequest,
  removePasskey,
  renamePasskey,
} from './passkeys.ts';
import { account, changePassword, endSessions, listSessions } from './profile.ts';
import { advertisements, home } from './public.ts';
import { referenceOf } from './reference.ts';
import type { Route } from './route.ts';
import { status } from './status.ts';
import { listTokens, makeToken, revokeToken } from './tokens.ts';
import { acquireVessels, listVessels, releaseVessels, renewVessels, showVessel } from './vessels.ts';

/** Every route of the site. Each answers programs in JSON and people in HTML. */
export const ROUTES: readonly Route<unknown>[] = [
  home,
  map,
  status,
  events,
  session,
  registerForm,
  register,
  loginForm,
  login,
  logout,
  account,
  changePassword,
  changeKey,
  deleteAccount,
  listCredits,
  listSessions,
  endSessions,
  listPasskeys,
  passkeyCreation,
  addPasskey,
  renamePasskey,
  removePasskey,
  passkeyRequest,
  passkeyLogin,
  listTokens,
  makeToken,
  revokeToken,
  listVessels,
  showVessel,
  editor,
  acquireVessels,
  renewVessels,
  releaseVessels,
  donations,
  donorPage,
  archive,
  advertisements,
  site,
  stopEverything,
  liftStop,
  retryTask,
  listUsers,
  showUser,
  showLedger,
  banUser,
  unbanUser,
  deleteUser,
  listNodes,
  showNode,
  drainNode,
  undrainNode,
  retryNode,
  forgetNode,
  listLeases,
  audit,
  ...referenceOf(() => ROUTES),
] as readonly Route<unknown>[];
