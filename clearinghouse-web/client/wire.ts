import { type KeyId, LIMITS, PASS_HOLD, PeerError, passPath, type Wire, type WireListener } from '@potluck/protocol';

/** What comes while nothing should, before the site is asked to wait: a browser cannot stop reading. */
const HELD_BYTES = 1024 * 1024;

/** @throws PeerError UNREACHABLE, TIMEOUT: the site does not pass us on */
export async function openWire(node: KeyId): Promise<Wire> {
  const url = new URL(passPath(node), location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new PeerError('TIMEOUT', 'no answer from the site in time')),
    LIMITS.connectTimeoutMs,
  );
  socket.addEventListener('open', () => resolve(), { once: true });
  socket.addEventListener('close', () => reject(new PeerError('UNREACHABLE', REFUSED)), { once: true });
  try {
    await promise;
    return new BrowserWire(socket);
  } catch (error) {
    socket.close();
    document.dispatchEvent(new Event('refused')); // The page looks whether it is still logged in.
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const REFUSED =
  'expected the site to pass this browser on to the node, it did not: you may be logged out, the vessel may not be yours any more, or too many pages are open';

class BrowserWire implements Wire {
  readonly #socket: WebSocket;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isHeld = false;
  /** Whether the site was asked to wait. */
  #asked = false;
  #listener: WireListener | undefined;
  #end: { code: number; reason: string } | undefined;
  readonly #closed = Promise.withResolvers<void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const bytes = new Uint8Array(data instanceof ArrayBuffer ? data : new ArrayBuffer(0));
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      this.#goOn();
      if (this.#waitingBytes > HELD_BYTES) this.#ask(true);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.#end = { code, reason };
      this.#closed.resolve();
      this.#goOn();
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  listen(listener: WireListener): void {
    this.#listener = listener;
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  hold(on: boolean): void {
    this.#isHeld = on;
    this.#goOn();
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }

  terminate(): void {
    this.#waiting.length = 0;
    this.#isHeld = false;
    this.#socket.close();
  }

  /** Hands over what waits, one after the other: each holds up the next until it is looked at. */
  #goOn(): void {
    while (!this.#isHeld) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      this.#waitingBytes -= bytes.length;
      this.#listener?.message(bytes);
    }
    if (this.#waiting.length > 0) return;
    this.#ask(false);
    if (this.#end === undefined || this.#isHeld) return;
    const { code, reason } = this.#end;
    this.#end = undefined;
    this.#listener?.closed(code, reason);
  }

  #ask(on: boolean): void {
    if (on === this.#asked || !this.isOpen) return;
    this.#asked = on;
    this.#socket.send(on ? PASS_HOLD.on : PASS_HOLD.off);
  }
}
