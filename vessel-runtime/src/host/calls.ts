import type { Ending } from '@potluck/protocol';
import { z } from 'zod';
import type { Received } from '../codec.ts';
import { LimitPassed, VesselError } from '../errors.ts';
import { CallFailure } from '../failure.ts';
import { type CallFrame, FRAME_LIMITS, type ReplyFrame } from '../frames.ts';
import { letGo } from './let-go.ts';

export interface ServiceCall {
  /** What the call attached; empty when it attached nothing. Gone once the pipe has taken the answer. */
  readonly attachment: Uint8Array;
  /** Bytes that the answer may attach. */
  readonly room: number;
}

export interface ServiceAnswer {
  readonly value?: string | number | boolean;
  /** Handed over: its memory is given back once the pipe has taken it. */
  readonly attachment?: Uint8Array;
  /** What the program's `getresources` is to say from now on. */
  readonly usage?: Readonly<Record<string, number>>;
}

/**
 * What a node manager does for a program that cannot do it itself. Arguments and attachment come from a process that may
 * have been taken over.
 * @throws CallFailure the call fails in the program; LimitPassed the program is ended; VesselError BAD_FRAME the call
 * cannot have come from our own code, and the process is ended; anything else is told to the program as InternalError.
 */
export interface Service {
  (given: readonly unknown[], call: ServiceCall): Promise<ServiceAnswer>;
  /**
   * Each call, failed or not, is charged to a rate of the vessel, with what it attaches: no flood of them has to be held
   * back at the pipe.
   */
  readonly charged?: boolean;
  /** Takes bytes that are attached. */
  readonly takesBytes?: boolean;
}
export type Services = Readonly<Record<string, Service>>;

/** @returns a service whose arguments are checked first: others are no work of our own code. */
export function service<A extends readonly unknown[]>(
  schema: z.ZodType<A>,
  serve: (given: A, call: ServiceCall) => Promise<ServiceAnswer>,
): Service {
  return (given, call) => {
    const parsed = schema.safeParse(given);
    if (parsed.success) return serve(parsed.data, call);
    throw new VesselError('BAD_FRAME', `expected a call with other arguments: ${z.prettifyError(parsed.error)}`);
  };
}

export interface CallsInit {
  /** Resolves when the pipe has taken the frame. */
  readonly send: (frame: ReplyFrame, attachment: Uint8Array | undefined) => Promise<void>;
  /** The process has to be ended. */
  readonly end: (ending: Ending) => void;
  /** It has to be ended for a call that our own code does not make. */
  readonly breach: (error: VesselError) => void;
}

const NOTHING = new Uint8Array();

/**
 * The calls of one vessel process, until each is answered and the pipe has taken the answer: so many, with so many bytes
 * in their attachments and in those that they ask for. Our own code in that process keeps to both; who does not is ended.
 */
export class Calls {
  readonly #init: CallsInit;
  readonly #unanswered = new Set<number>();
  #bytes = 0;
  #services: Services = {};
  readonly #stopped = new AbortController();

  constructor(init: CallsInit) {
    this.#init = init;
  }

  offer(services: Services): void {
    this.#services = services;
  }

  /** No call is begun any more; those that were are carried out and not answered. */
  stop(): void {
    this.#stopped.abort();
  }

  /** For what need not be carried out to its end. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** @returns whether it is charged for by its service. */
  take(call: Received<CallFrame>): boolean {
    if (this.stopped.aborted) return false;
    const bytes = (call.attached ?? 0) + (call.room ?? 0);
    const breach = this.#breachOf(call, bytes);
    if (breach !== undefined) {
      this.#init.breach(new VesselError('BAD_FRAME', breach));
      return false;
    }
    this.#unanswered.add(call.id);
    this.#bytes += bytes;
    void this.#answer(call).finally(() => {
      letGo(call.attachment ?? NOTHING);
      this.#unanswered.delete(call.id);
      this.#bytes -= bytes;
    });
    return this.isCharged(call);
  }

  /** @returns whether this call is charged for by its service, with what is attached to it. */
  isCharged({ operation, attached = 0 }: CallFrame): boolean {
    const { charged, takesBytes }: Partial<Service> = this.#offered(operation) ?? {};
    return charged === true && (attached === 0 || takesBytes === true);
  }

  #offered(operation: string): Service | undefined {
    return Object.hasOwn(this.#services, operation) ? this.#services[operation] : undefined;
  }

  #breachOf({ id, operation, attached = 0 }: CallFrame, bytes: number): string | undefined {
    const { callsAtOnce, callsBytes } = FRAME_LIMITS;
    const offered = this.#offered(operation);
    if (offered === undefined) return `expected a call that is offered, got ${printable(operation)}`;
    if (attached > 0 && offered.takesBytes !== true) return `expected nothing attached to ${printable(operation)}`;
    if (this.#unanswered.has(id)) return `expected each call once, got ${id} again`;
    if (this.#unanswered.size >= callsAtOnce) return `expected at most ${callsAtOnce} calls at once, got one more`;
    const sum = this.#bytes + bytes;
    return sum <= callsBytes ? undefined : `expected at most ${callsBytes} bytes in calls at once, got ${sum}`;
  }

  async #answer(call: Received<CallFrame>): Promise<void> {
    const { id, room = 0 } = call;
    try {
      const { attachment, ...answer } = await this.#serve(call, room);
      const attached = attachment?.byteLength ?? 0;
      if (attached === 0) await this.#send({ type: 'reply', id, ...answer }, undefined);
      else await this.#send({ type: 'reply', id, ...answer, attached }, attachment);
      letGo(attachment ?? NOTHING);
    } catch (error) {
      if (error instanceof LimitPassed) this.#init.end(error.ending);
      else if (error instanceof VesselError && error.code === 'BAD_FRAME') this.#init.breach(error);
      else await this.#send({ type: 'reply', id, ...failureOf(error, call.operation) }, undefined);
    }
  }

  async #serve({ operation, arguments: given, attachment = NOTHING }: Received<CallFrame>, room: number) {
    const serve = this.#offered(operation);
    // One that is not offered is refused before.
    if (serve === undefined) return {};
    const answer = await serve(given, { attachment, room });
    const bytes = answer.attachment?.byteLength ?? 0;
    if (bytes <= room) return answer;
    throw new VesselError('BAD_FRAME', `expected a call with room for ${bytes} bytes, got one with room for ${room}`);
  }

  async #send(frame: ReplyFrame, attachment: Uint8Array | undefined): Promise<void> {
    if (!this.stopped.aborted) await this.#init.send(frame, attachment);
  }
}

function failureOf(error: unknown, operation: string): { failure: string; message: string } {
  if (error instanceof CallFailure) return { failure: error.code, message: error.message };
  // Never the message of our own fault: it could name paths of this machine.
  const message = `expected the node manager to carry out ${printable(operation)}, it failed`;
  return { failure: 'InternalError', message };
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
