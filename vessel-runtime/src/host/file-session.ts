import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { fileCost } from '../cost.ts';
import { DiskError, LimitPassed } from '../errors.ts';
import { CallFailure } from '../failure.ts';
import { Lane } from '../lane.ts';
import { Renewable } from '../process/meter.ts';
import { type Service, type ServiceAnswer, type ServiceCall, type Services, service } from './calls.ts';
import type { Disk } from './disk.ts';

type Rate = 'fileread' | 'filewrite';

export interface FileSessionInit {
  /** The vessel's restrictions by name; of them, rates in bytes a second. */
  readonly quantities: Readonly<Record<Rate, number>>;
  /** Hears what the files take when somebody else than the program has changed it. */
  readonly tell: (usage: { diskused: number }) => void;
}

const nameSchema = z.string().regex(/^(?!private_)[a-z0-9_-][a-z0-9._-]{0,119}$/);
const offsetSchema = z.int().min(0);

/**
 * The file calls of one program, on its vessel's disk: carried out one after the other, and charged once more, for the
 * process that charges itself may have been taken over. After `stop` none is begun, so that nothing of an old program
 * meets the files of the next.
 */
export class FileSession {
  readonly services: Services;
  readonly #disk: Disk;
  readonly #init: FileSessionInit;
  readonly #rates: Readonly<Record<Rate, Renewable>>;
  readonly #lanes = { fileread: new Lane(), filewrite: new Lane() };
  readonly #stopped = new AbortController();
  #underWay = 0;
  #told = 0;

  constructor(disk: Disk, init: FileSessionInit) {
    this.#disk = disk;
    this.#init = init;
    const { fileread, filewrite } = init.quantities;
    this.#rates = { fileread: new Renewable('fileread', fileread), filewrite: new Renewable('filewrite', filewrite) };
    this.services = this.#services();
    disk.onUse = this.#used;
    this.#used();
  }

  /** The program has ended: what was not begun never will be. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#disk.onUse === this.#used) this.#disk.onUse = () => {};
    await this.#disk.rest();
  }

  readonly #used = (): void => {
    const diskused = this.#disk.usedBytes;
    // What the program's own call changes is told with the answer to it.
    if (this.#underWay > 0 || diskused === this.#told) return;
    this.#told = diskused;
    this.#init.tell({ diskused });
  };

  #services(): Services {
    const disk = this.#disk;
    const name = z.tuple([nameSchema]);
    const place = z.tuple([nameSchema, offsetSchema]);
    return {
      openfile: this.#service('fileread', z.tuple([nameSchema, z.boolean(), z.boolean()]), (given) =>
        this.#open(given),
      ),
      readat: this.#service('fileread', place, async ([file, offset], { room }) => {
        const { bytes, end } = await disk.read(file, offset, room);
        return { cost: fileCost(offset, bytes.byteLength), value: end, attachment: bytes };
      }),
      writeat: this.#service('filewrite', z.tuple([nameSchema, offsetSchema.nullable()]), async (given, call) => {
        const { byteLength } = call.attachment;
        const end = await disk.write(...given, call.attachment);
        return { cost: fileCost(end - byteLength, byteLength), value: end };
      }),
      filesize: this.#service('fileread', name, async ([file]) => ({
        cost: fileCost(0, 0),
        value: await disk.size(file),
      })),
      removefile: this.#service('fileread', name, async ([file]) => {
        await disk.remove(file);
        this.#rates.filewrite.add(fileCost(0, 0));
        return { cost: fileCost(0, 0) };
      }),
      listfiles: this.#service('fileread', z.tuple([]), async () => {
        return { cost: fileCost(0, 0), attachment: Buffer.from(JSON.stringify(disk.names)) };
      }),
    };
  }

  async #open([name, create, empty]: [string, boolean, boolean]): Promise<ServiceAnswer & { cost: number }> {
    // One that may write nothing makes no file either.
    if (empty || (create && !this.#disk.has(name))) this.#rates.filewrite.waitMs();
    const changed = await this.#disk.open(name, { create, empty });
    if (changed) this.#rates.filewrite.add(fileCost(0, 0));
    return { cost: fileCost(0, 0), value: changed };
  }

  #service<A extends readonly unknown[]>(
    rate: Rate,
    schema: z.ZodType<A>,
    serve: (given: A, call: ServiceCall) => Promise<ServiceAnswer & { cost: number }>,
  ): Service {
    const paced = service(schema, (given, call) =>
      this.#lanes[rate].run(() => this.#carryOut(rate, call, () => serve(given, call))),
    );
    // Where the rate is 0, a call fails before it could be charged.
    return Object.assign(paced, { charged: this.#init.quantities[rate] > 0, takesBytes: rate === 'filewrite' });
  }

  async #carryOut(
    rate: Rate,
    { attachment }: ServiceCall,
    serve: () => Promise<ServiceAnswer & { cost: number }>,
  ): Promise<ServiceAnswer> {
    await this.#turn(rate);
    this.#underWay += 1;
    try {
      const { cost, ...answer } = await serve();
      this.#rates[rate].add(cost);
      const diskused = this.#disk.usedBytes;
      if (diskused === this.#told) return answer;
      this.#told = diskused;
      return { ...answer, usage: { diskused } };
    } catch (error) {
      // What was attached had to be read all the same.
      this.#rates[rate].add(fileCost(0, attachment.byteLength));
      throw asFailure(error);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** @throws CallFailure when the rate is 0; the signal's reason once it is stopped. */
  async #turn(rate: Rate): Promise<void> {
    const { signal } = this.#stopped;
    for (let waitMs = this.#rates[rate].waitMs(); waitMs > 0; waitMs = this.#rates[rate].waitMs()) {
      await delay(waitMs, undefined, { signal });
    }
    signal.throwIfAborted();
  }
}

function asFailure(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const { code, message, details } = error;
  if (code === 'NO_SUCH_FILE') return new CallFailure('FileNotFoundError', message);
  if (code === 'PAST_END') return new CallFailure('SeekPastEndOfFileError', message);
  if (code === 'QUOTA_EXCEEDED') return new LimitPassed('diskused', Number(details.limit), Number(details.used));
  return new CallFailure('ResourceExhaustedError', message);
}
