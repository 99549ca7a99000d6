import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { TLSSocket } from 'node:tls';
import {
  addressSchema,
  describeError,
  type Finding,
  gatewayAddressSchema,
  openPinnedSocket,
  PeerError,
  parseJson,
  warning,
  well,
  wrong,
} from '@potluck/protocol';
import { z } from 'zod';
import { DOCTOR_LIMITS } from '../limits.ts';
import type { StatePaths } from '../paths.ts';

/** `address.json`, while a site runs. */
const runningSchema = z.object({
  url: z.url(),
  gateway: gatewayAddressSchema,
  listening: z.object({ host: z.string(), port: z.int(), gatewayPort: z.int() }),
  metrics: addressSchema.optional(),
  proxies: z.array(z.string()),
  pid: z.int(),
});
export type RunningSite = z.infer<typeof runningSchema>;

const DAY_MS = 24 * 3_600_000;

/** @returns what a site has written of where it is; undefined when none runs, or it is still starting. */
export async function readRunning({ address }: StatePaths): Promise<RunningSite | undefined> {
  const text = await readFile(address, 'utf8').catch(() => '');
  return runningSchema.safeParse(parseJson(text)).data;
}

/** What people and nodes reach, asked from here as they would. */
export async function aboutPublic(site: RunningSite): Promise<Finding[]> {
  return [...(await aboutPortal(site)), ...aboutProxy(site), await aboutGateway(site)];
}

async function aboutPortal({ url }: RunningSite): Promise<Finding[]> {
  const what = 'portal';
  try {
    const { response, until } = await ask(`${url}/session`);
    if (response.statusCode !== 200) {
      return [wrong(what, `${url} answers with ${response.statusCode}: does the proxy lead to this site?`)];
    }
    return [well(what, `${url} answers`), ...aboutCertificate(until), await aboutWebSockets(url)];
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)) {
      return [wrong('certificate', `no browser believes that of ${url} (${describeError(error)}): get a new one`)];
    }
    const remedy = 'is the proxy running, and does the name lead here?';
    // Behind some routers a machine does not reach its own public name; where it does, nobody listens there.
    const finding = code === 'ECONNREFUSED' ? wrong : warning;
    return [finding(what, `${url} cannot be reached from this machine (${describeError(error)}): ${remedy}`)];
  }
}

/** @param until milliseconds since the epoch; undefined without TLS. */
function aboutCertificate(until: number | undefined): Finding[] {
  if (until === undefined) return [];
  const days = Math.floor((until - Date.now()) / DAY_MS);
  const text = `it ends in ${days} days`;
  if (until - Date.now() >= DOCTOR_LIMITS.certificateMs) return [well('certificate', text)];
  return [warning('certificate', `${text}: does it renew itself (certbot renew)?`)];
}

/** Our own refusal of a WebSocket has no body; a proxy that passes none has the page for a wrong address come back. */
async function aboutWebSockets(url: string): Promise<Finding> {
  const headers = {
    ...{ connection: 'Upgrade', upgrade: 'websocket' },
    ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
  };
  const { response } = await ask(`${url}/pass/nobody`, headers);
  if (response.statusCode === 404 && response.headers['content-length'] === '0') {
    return well('websockets', 'they come through');
  }
  const lines = 'proxy_http_version 1.1, Upgrade and Connection';
  return wrong(
    'websockets',
    `the proxy passes none: browsers do not reach vessels; set ${lines} as docs/DEPLOY.md does`,
  );
}

function aboutProxy({ url, listening: { host }, proxies }: RunningSite): Finding[] {
  if (!url.startsWith('https:') || /^(127\.|::1$|localhost$)/.test(host) || proxies.length > 0) return [];
  const text = `the site listens on ${host} and believes no proxy but one of this machine: everybody counts as one address`;
  return [warning('proxy', `${text}; say --proxy ADDRESS`)];
}

async function aboutGateway({ gateway: { host, port, key } }: RunningSite): Promise<Finding> {
  const what = 'gateway';
  try {
    const signal = AbortSignal.timeout(DOCTOR_LIMITS.answerMs);
    const { socket } = await openPinnedSocket({ address: { host, port }, key, maxPayloadBytes: 1024, signal });
    socket.terminate();
    return well(what, `${host} port ${port} answers with the key that nodes expect`);
  } catch (error) {
    const reason = describeError(error);
    if (error instanceof PeerError && error.code === 'WRONG_IDENTITY') {
      return wrong(what, `another key answers at ${host} port ${port} (${reason}): nodes do not come in`);
    }
    const remedy = 'is the port open in the firewall, and passed on as it is?';
    return warning(what, `${host} port ${port} cannot be reached from this machine (${reason}): ${remedy}`);
  }
}

async function ask(url: string, headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    response: IncomingMessage;
    until: number | undefined;
  }>();
  const send = url.startsWith('https:') ? secure : plain;
  const signal = AbortSignal.timeout(DOCTOR_LIMITS.answerMs);
  const asked = send(url, { agent: false, signal, headers: { accept: 'application/json', ...headers } }, (response) => {
    const { socket } = response;
    const until = socket instanceof TLSSocket ? Date.parse(socket.getPeerCertificate().valid_to) : undefined;
    response.resume();
    resolve({ response, until });
  });
  asked.on('error', reject).end();
  return await promise;
}
