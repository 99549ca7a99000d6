import { createSocket, type RemoteInfo } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, addressText } from '@potluck/protocol';
import { pino } from 'pino';
import { NODE_LIMITS, type NodeLimits } from '../src/limits.ts';
import { PortMapper } from '../src/mapper.ts';
import type { Router } from '../src/router.ts';

/** What a router can be asked, as it came. */
export interface Asked {
  readonly what: string;
  readonly text: string;
}

/** Of the open network, and nobody's that the tests speak to: it is only told. */
export const PUBLIC = '198.41.0.4';

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

/** Of NAT-PMP: how one that is there and only speaks UPnP answers. */
const NOT_ALLOWED = 2;

/** A small router on loopback that speaks NAT-PMP and UPnP, as well or as badly as a test wants. */
export class TestRouter implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** `asked` for each question. */
  readonly events = new EventEmitter();
  /** External port by internal port: what is let through now. */
  readonly open = new Map<number, number>();
  publicHost = PUBLIC;
  seconds = 3600;
  /** Which protocols are answered at all. */
  speaks: readonly ('pmp' | 'upnp')[] = ['pmp'];
  /** The port that is given for one that is asked for. */
  give = (port: number): number => port;
  /** In the place of the datagrams that answer by NAT-PMP. */
  datagrams: (right: Buffer) => Buffer[] = (right) => [right];
  /** In the place of the answer by UPnP to that action; `description` for the page. */
  page: (what: string, right: string) => { status?: number; body: string | Buffer } = (_what, body) => ({ body });
  location = (port: number): string => `http://127.0.0.1:${port}/rootDesc.xml`;
  controlUrl = '/ctl/IPConn';
  readonly #pmp = createSocket('udp4');
  readonly #ssdp = createSocket('udp4');
  readonly #http = createServer((request, response) => void this.#page(request, response));

  static async start(more: Partial<TestRouter> = {}): Promise<TestRouter> {
    const router = Object.assign(new TestRouter(), more);
    router.#pmp.on('message', (message, from) => router.#answer(message, from));
    router.#ssdp.on('message', (message, from) => router.#found(message, from));
    for (const socket of [router.#pmp, router.#ssdp]) await once(socket.bind(0, '127.0.0.1'), 'listening');
    await once(router.#http.listen(0, '127.0.0.1'), 'listening');
    return router;
  }

  get place(): Router {
    const [natPmpPort, port] = [this.#pmp.address().port, this.#ssdp.address().port];
    return { host: '127.0.0.1', natPmpPort, ssdp: { host: '127.0.0.1', port } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pmp.close();
    this.#ssdp.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #note(what: string, text: string): void {
    this.asked.push({ what, text });
    this.events.emit('asked', what);
  }

  #answer(message: Buffer, { port, address }: RemoteInfo): void {
    this.#note(message[1] === 0 ? 'address' : 'map', message.toString('hex'));
    if (this.speaks.length === 0) return;
    const right = message[1] === 0 ? this.#address() : this.#map(message);
    if (!this.speaks.includes('pmp')) right.writeUInt16BE(NOT_ALLOWED, 2);
    for (const datagram of this.datagrams(right)) this.#pmp.send(datagram, port, address);
  }

  #address(): Buffer {
    return Buffer.from([0, 128, 0, 0, 0, 0, 0, 1, ...this.publicHost.split('.').map(Number)]);
  }

  #map(message: Buffer): Buffer {
    const [internal, wanted, seconds] = [message.readUInt16BE(4), message.readUInt16BE(6), message.readUInt32BE(8)];
    const external = seconds === 0 ? 0 : this.give(wanted);
    if (seconds === 0) this.open.delete(internal);
    else this.open.set(internal, external);
    const right = Buffer.from([0, 130, 0, 0, 0, 0, 0, 1, ...message.subarray(4, 6), 0, 0, 0, 0, 0, 0]);
    right.writeUInt16BE(external, 10);
    right.writeUInt32BE(seconds === 0 ? 0 : this.seconds, 12);
    return right;
  }

  #found(message: Buffer, { port, address }: RemoteInfo): void {
    this.#note('search', message.toString());
    if (this.speaks.length === 0) return;
    const here = this.location((this.#http.address() as AddressInfo).port);
    const location = this.speaks.includes('upnp') ? here : 'none'; // Sooner over than silence.
    const device = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
    this.#ssdp.send(`HTTP/1.1 200 OK\r\nST: ${device}\r\nLOCATION: ${location}\r\nEXT:\r\n\r\n`, port, address);
  }

  async #page(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const action = /#(\w+)"$/.exec(String(request.headers.soapaction))?.[1];
    this.#note(action ?? 'description', text);
    const right = action === undefined ? this.#description() : this.#do(action, text);
    const { status = 200, body } = this.page(action ?? 'description', right);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  }

  #description(): string {
    const service = `<service><serviceType>${SERVICE}</serviceType><controlURL>${this.controlUrl}</controlURL></service>`;
    const inner = `<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>
      <serviceList>${service}</serviceList></device></deviceList></device></deviceList>`;
    return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>${inner}</device></root>`;
  }

  #do(action: string, text: string): string {
    const value = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1] ?? '';
    const external = Number(value('NewExternalPort'));
    if (action === 'AddPortMapping') this.open.set(Number(value('NewInternalPort')), external);
    for (const [port, is] of this.open) if (action === 'DeletePortMapping' && is === external) this.open.delete(port);
    const inner =
      action === 'GetExternalIPAddress' ? `<NewExternalIPAddress>${this.publicHost}</NewExternalIPAddress>` : '';
    return soap(`<u:${action}Response xmlns:u="${SERVICE}">${inner}</u:${action}Response>`);
  }
}

function soap(body: string): string {
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
}

/** A refusal with one of UPnP's codes. */
export function fault(code: string): { status: number; body: string } {
  const error = `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode></UPnPError>`;
  return { status: 500, body: soap(`<s:Fault><faultcode>s:Client</faultcode><detail>${error}</detail></s:Fault>`) };
}

export const HERE: Address = { host: '127.0.0.1', port: 1224 };

/** A node manager's mapper of a port on loopback, and the words that it logs. */
export class Mapper implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly mapper: PortMapper;
  #heard = Promise.withResolvers<void>();

  constructor(router: TestRouter, limits: Partial<NodeLimits> = {}) {
    const log = pino({ base: null }, { write: (line: string) => void this.lines.push(line) });
    const onChange = (): void => {
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    };
    const all = { ...NODE_LIMITS, ...limits };
    this.mapper = new PortMapper({ log }, { router: router.place, limits: all, onChange });
  }

  static async of(router: TestRouter, limits: Partial<NodeLimits> = {}, listening = [HERE]): Promise<Mapper> {
    const mapper = new Mapper(router, limits);
    const heard = mapper.next();
    mapper.mapper.start(listening);
    await heard;
    return mapper;
  }

  /** When there is something new to say. */
  async next(): Promise<void> {
    await this.#heard.promise;
  }

  get mapped(): string[] {
    return this.mapper.mapped.map(addressText);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mapper.stop();
  }
}
