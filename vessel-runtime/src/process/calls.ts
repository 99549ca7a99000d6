import type { FailureName } from '@potluck/repy-api';
import type { Received } from '../codec.ts';
import type { CallFrame, ReplyFrame } from '../frames.ts';
import { CallFailure } from './failure.ts';

/** Limits of `../frames.ts`, which is not loaded here: it would bring the schemas' library into every vessel. */
const CALLS_AT_ONCE = 64;
const BYTES_AT_ONCE = 2 * 1024 * 1024;

export interface Call {
  readonly operation: string;
  readonly arguments: readonly (string | number | boolean | null)[];
  /** At most 1 MiB. */
  readonly attachment?: Uint8Array;
  /** The most that the answer may attach: at most 1 MiB. */
  readonly room?: number;
}

export interface Answer {
  readonly value: string | number | boolean | undefined;
  /** Empty when nothing was attached. */
  readonly attachment: Uint8Array;
}

interface Waiting {
  readonly call: Call;
  readonly bytes: number;
  resolve(answer: Answer): void;
  reject(error: CallFailure): void;
}

type Write = (frame: CallFrame, attachment: Uint8Array | undefined) => void;

const NOTHING = new Uint8Array();

/**
 * What this process asks its node manager for. No more calls, and no more bytes of them, are under way than the node
 * manager takes; the others wait here in their order.
 */
export class Calls {
  readonly #write: Write;
  readonly #underWay = new Map<number, Waiting>();
  #queue: Waiting[] = [];
  #bytes = 0;
  #id = 0;
  readonly #told: Record<string, number> = {};

  constructor(write: Write) {
    this.#write = write;
  }

  /** What the node manager knows of resources in use, by their names. */
  get told(): Readonly<Record<string, number>> {
    return this.#told;
  }

  tell(usage: Readonly<Record<string, number>>): void {
    Object.assign(this.#told, usage);
  }

  /** @returns what the node manager answers. @throws CallFailure of the name that it says. */
  call(call: Call): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const bytes = (call.attachment?.byteLength ?? 0) + (call.room ?? 0);
    this.#queue.push({ call, bytes, resolve, reject });
    this.#pump();
    return promise;
  }

  /** A reply came. */
  settle({ id, value, failure, message = '', usage, attachment = NOTHING }: Received<ReplyFrame>): void {
    if (usage !== undefined) this.tell(usage);
    const waiting = this.#underWay.get(id);
    if (waiting === undefined) return;
    this.#underWay.delete(id);
    this.#bytes -= waiting.bytes;
    if (failure === undefined) waiting.resolve({ value, attachment });
    else waiting.reject(new CallFailure(failure as FailureName, message));
    this.#pump();
  }

  #pump(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#fits(next); next = this.#queue[0]) {
      this.#queue.shift();
      this.#begin(next);
    }
  }

  #fits({ bytes }: Waiting): boolean {
    return this.#underWay.size < CALLS_AT_ONCE && this.#bytes + bytes <= BYTES_AT_ONCE;
  }

  #begin(waiting: Waiting): void {
    const { operation, arguments: given, attachment, room } = waiting.call;
    this.#id += 1;
    this.#underWay.set(this.#id, waiting);
    this.#bytes += waiting.bytes;
    const attached = attachment?.byteLength ?? 0;
    const sizes = { ...(attached > 0 && { attached }), ...(room !== undefined && { room }) };
    const frame: CallFrame = { type: 'call', id: this.#id, operation, arguments: [...given], ...sizes };
    this.#write(frame, attached > 0 ? attachment : undefined);
  }
}
