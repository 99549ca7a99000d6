import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { describeError } from '@potluck/protocol';
import { z } from 'zod';
import { askAgain } from './datagrams.ts';
import { NodeManagerError } from './errors.ts';
import type { NodeLimits } from './limits.ts';
import { type Mapping, type MappingWay, mappingFailed, parseMapping, type Router } from './router.ts';
import { xmlElements } from './xml.ts';

const DEVICES = [1, 2].map((version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`);
const SERVICES = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'].map(
  (service) => `urn:schemas-upnp-org:service:${service}`,
);

/** From one search to the next, which is twice as long after. */
const FIRST_WAIT_MS = 500;

/** The router's words for: somebody else has that port; mappings only last until they are taken back. */
const TAKEN = '718';
const FOR_EVER = '725';
/** Ports that are tried, the same as here first. */
const TRIES = 4;
const FREE_PORTS = { first: 49_152, last: 65_535 };

const serviceSchema = z.object({ serviceType: z.enum(SERVICES), controlURL: z.string().min(1).max(1000) });
const hostSchema = z.object({ NewExternalIPAddress: z.string().max(64) });

export interface UpnpInit {
  /** This machine's address on the router's network. */
  readonly local: string;
  readonly limits: Pick<NodeLimits, 'mappingSeconds' | 'mappingAnswerBytes'>;
}

interface Control {
  readonly url: URL;
  readonly service: string;
}

interface Wish {
  readonly port: number;
  readonly external: number;
  readonly seconds: number;
}

/** UPnP Internet Gateway Device, of version 1 or 2: found by multicast, asked by SOAP over HTTP. */
export class Upnp implements MappingWay {
  readonly name = 'UPnP';
  readonly #router: Router;
  readonly #init: UpnpInit;
  #control: Promise<Control> | undefined;

  constructor(router: Router, init: UpnpInit) {
    this.#router = router;
    this.#init = init;
  }

  async map(port: number, signal: AbortSignal, last?: Mapping): Promise<Mapping> {
    const { mappingSeconds: seconds } = this.#init.limits;
    const external = await this.#add({ port, external: last?.address.port ?? port, seconds }, signal);
    const [answer] = xmlElements(await this.#run('GetExternalIPAddress', '', signal), 'GetExternalIPAddressResponse');
    const found = hostSchema.safeParse(answer);
    return parseMapping(found.data?.NewExternalIPAddress, external, seconds);
  }

  async unmap(_port: number, { address }: Mapping, signal: AbortSignal): Promise<void> {
    await this.#run('DeletePortMapping', remote(address.port), signal);
  }

  /** @returns the router's port */
  async #add(first: Wish, signal: AbortSignal): Promise<number> {
    let wish = first;
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#run('AddPortMapping', remote(wish.external) + this.#here(wish), signal);
        return wish.external;
      } catch (error) {
        const code = error instanceof NodeManagerError ? error.details.refusal : undefined;
        if (tried === TRIES || (code !== TAKEN && code !== FOR_EVER)) throw error;
        const other = randomInt(FREE_PORTS.first, FREE_PORTS.last + 1);
        wish = code === TAKEN ? { ...wish, external: other } : { ...wish, seconds: 0 };
      }
    }
  }

  #here({ port, seconds }: Wish): string {
    return (
      `<NewInternalPort>${port}</NewInternalPort><NewInternalClient>${this.#init.local}</NewInternalClient>` +
      '<NewEnabled>1</NewEnabled><NewPortMappingDescription>potluck</NewPortMappingDescription>' +
      `<NewLeaseDuration>${seconds}</NewLeaseDuration>`
    );
  }

  async #run(action: string, values: string, signal: AbortSignal): Promise<string> {
    this.#control ??= this.#find(signal);
    const control = await this.#control.catch((error: unknown) => {
      this.#control = undefined; // The next time it is looked for again.
      throw error;
    });
    const { url, service } = control;
    const body =
      '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
      's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
      `<u:${action} xmlns:u="${service}">${values}</u:${action}></s:Body></s:Envelope>`;
    const headers = { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${service}#${action}"` };
    const { status, text } = await this.#fetch(url, { method: 'POST', headers, signal }, body);
    if (status === 200) return text;
    const code = xmlElements(text, 'UPnPError')[0]?.errorCode ?? '';
    const refusal = /^\d{3}$/.test(code) ? code : `HTTP ${status}`;
    throw mappingFailed(`expected UPnP of ${url.host} to do ${action}, got a refusal: ${refusal}`, refusal);
  }

  /** Which of the router's services maps ports. */
  async #find(signal: AbortSignal): Promise<Control> {
    const description = await this.#search(signal);
    const { text } = await this.#fetch(description, { signal });
    const services = xmlElements(text, 'service').flatMap((one) => serviceSchema.safeParse(one).data ?? []);
    const best = SERVICES.flatMap((type) => services.filter(({ serviceType }) => serviceType === type))[0];
    if (best === undefined) throw mappingFailed(`expected the router at ${description.host} to map ports, it cannot`);
    return { url: this.#own(best.controlURL, description), service: best.serviceType };
  }

  /** @returns where the router describes itself. */
  async #search(signal: AbortSignal): Promise<URL> {
    const { host, ssdp } = this.#router;
    return await askAgain(
      {
        firstWaitMs: FIRST_WAIT_MS,
        prepare: (socket) => {
          socket.bind(0, this.#init.local);
          return 'listening';
        },
        send: (socket) => {
          for (const device of DEVICES) socket.send(searchFor(device), ssdp.port, ssdp.host, () => undefined);
        },
        read: (answer, { address }) => {
          const [, location] = /^location:[ \t]*(\S{1,1000})[ \t]*\r?$/im.exec(answer.toString('latin1')) ?? [];
          // Whoever is on the network may answer; one is asked.
          return address === host && location !== undefined ? this.#own(location) : undefined;
        },
        failure: (why) => mappingFailed(`expected UPnP of ${host}, got ${why}`),
      },
      signal,
    );
  }

  /** What the router names is asked only if it is the router: it could name whatever else this machine reaches. */
  #own(text: string, base?: URL): URL {
    const url = URL.parse(text, base);
    if (url?.protocol === 'http:' && url.hostname === this.#router.host && url.username === '') return url;
    throw mappingFailed(`expected a page of the router at ${this.#router.host}, got ${text.slice(0, 100)}`);
  }

  /** Follows nothing, keeps no connection, and reads no more than the limit. */
  async #fetch(url: URL, options: RequestOptions, body = ''): Promise<{ status: number; text: string }> {
    const { mappingAnswerBytes } = this.#init.limits;
    try {
      const request = httpRequest(url, { ...options, agent: false });
      const [response] = await Promise.all([once(request, 'response'), request.end(body)]);
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response[0]) {
        length += chunk.length;
        if (length > mappingAnswerBytes) throw mappingFailed(`expected at most ${mappingAnswerBytes} bytes, got more`);
        chunks.push(chunk);
      }
      return { status: response[0].statusCode ?? 0, text: Buffer.concat(chunks).toString() };
    } catch (error) {
      throw mappingFailed(`expected an answer of ${url.host}, got ${describeError(error)}`);
    }
  }
}

function remote(port: number): string {
  return `<NewRemoteHost></NewRemoteHost><NewExternalPort>${port}</NewExternalPort><NewProtocol>TCP</NewProtocol>`;
}

function searchFor(device: string): string {
  return `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${device}\r\n\r\n`;
}
