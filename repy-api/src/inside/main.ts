import { EVENT, OP } from '../ops.ts';
import { connect, invoke, type Operation, type Primitive, refuse, settle } from './bridge.ts';
import { describeThrown, getlasterror } from './errors.ts';
import { listfiles, openfile, removefile } from './files.ts';
import { harden } from './harden.ts';
import { lineOf } from './inspect.ts';
import { publish, publishLanguage } from './language.ts';
import { raise, settleLayer } from './layers.ts';
import { gethostbyname, gethostbyname_ex } from './names.ts';
import { createvirtualnamespace } from './namespaces.ts';
import {
  getmyip,
  onClosed,
  onConnection,
  onMessage,
  onMessages,
  openconn,
  recvmess,
  sendmess,
  stopcomm,
  waitforconn,
} from './network.ts';
import { FLAG, flag } from './ports.ts';
import { publishProgram } from './publish.ts';
import { randombytes } from './random.ts';
import { getresources } from './resources.ts';
import { listenforconnection, listenformessage, openconnection, sendmessage } from './second.ts';
import { onstop, stop } from './stop.ts';
import { open } from './streams.ts';
import { createlock, createthread } from './tasks.ts';
import { canceltimer, fire, getruntime, randomfloat, settimer, sleep } from './time.ts';
import { adopt } from './worlds.ts';

const callargs: string[] = [];

const log = (...values: unknown[]) => {
  invoke(OP.log, lineOf(values));
};
const exitall = () => {
  invoke(OP.exitall);
};

const api: Record<string, unknown> = {
  recvmess,
  sendmess,
  stopcomm,
  openconn,
  waitforconn,
  getmyip,
  gethostbyname,
  gethostbyname_ex,
  settimer,
  canceltimer,
  sleep,
  getruntime,
  randomfloat,
  randombytes,
  createlock,
  getlock: createlock,
  createthread,
  getresources,
  getlasterror,
  createvirtualnamespace,
  sendmessage,
  listenformessage,
  openconnection,
  listenforconnection,
  openfile,
  listfiles,
  removefile,
  open,
  file: open,
  listdir: listfiles,
  exitall,
  onstop,
  log,
};

function publishAll(): void {
  flag(log, FLAG.text);
  flag(sendmess, FLAG.forgiven);
  flag(sendmessage, FLAG.forgiven);
  publish(api);
  publishLanguage();
  publishProgram((text) => invoke(OP.log, text), callargs);
}

type Event = [kind: number, a: Primitive, b: Primitive, c: Primitive, d: Primitive];

function dispatch(...event: Event): void {
  // Not by a pattern: a program may replace what iterates over arrays.
  const kind = event[0];
  const a = event[1];
  const b = event[2];
  const c = event[3];
  const d = event[4];
  if (kind === EVENT.message) onMessage(a as number, b as string, c as string, d as number);
  else if (kind === EVENT.messages) onMessages(a as string, b as string, c as string);
  else if (kind === EVENT.resolve) settle(a as number, b, c, d);
  else if (kind === EVENT.reject) refuse(a as number, b as number, c as string);
  else if (kind === EVENT.timer) fire(a as number);
  else if (kind === EVENT.connection) onConnection(a as number, b as number, c as string, d as number);
  else if (kind === EVENT.closed) onClosed(a as number);
  else if (kind === EVENT.stop) stop(a as string);
  else if (kind === EVENT.realm) adopt(a);
  else if (kind === EVENT.world) raise(a as string, callargs, api);
  else if (kind === EVENT.layered) settleLayer();
  else if (kind === EVENT.argument) callargs[callargs.length] = a as string;
}

export { realm } from './realm.ts';

/**
 * Builds the program's world and returns the one way into it. What the program throws does not leave: the answer is ''
 * or the text of the uncaught error.
 */
export function install(operation: Operation): (...event: Event) => string {
  connect(operation);
  harden();
  publishAll();
  return (...event) => {
    try {
      dispatch(event[0], event[1], event[2], event[3], event[4]);
      return '';
    } catch (error) {
      return `!${describeThrown(error)}`;
    }
  };
}
