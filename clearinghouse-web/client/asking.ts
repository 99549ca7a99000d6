/** For the first answer of a worker, which has to load what it needs. */
const FIRST_MS = 60_000;
/** For each answer after it: a worker that thinks for longer is ended. */
const ANSWER_MS = 10_000;

interface WorkerParts<Answer> {
  /** The address of its script. */
  readonly url: string;
  /** What is answered to who will get no other answer. @param message why */
  readonly broken: (message: string) => Answer;
}

interface Asked<Question, Answer> {
  readonly question: Question;
  readonly answer: (answer: Answer) => void;
}

/**
 * Asks a worker, which is started with the first question, and with the next after it broke or took too long. One question
 * is under way; of those that come meanwhile only the newest is kept, as the others are about what is no more.
 */
export class WorkerClient<Question, Answer> {
  readonly #parts: WorkerParts<Answer>;
  #worker: Worker | undefined;
  #limitMs = FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #underWay: Asked<Question, Answer> | undefined;
  #newest: Asked<Question, Answer> | undefined;

  constructor(parts: WorkerParts<Answer>) {
    this.#parts = parts;
  }

  async ask(question: Question): Promise<Answer> {
    const { promise, resolve: answer } = Promise.withResolvers<Answer>();
    this.#newest?.answer(this.#parts.broken('a newer question took its place'));
    this.#newest = { question, answer };
    this.#goOn();
    return await promise;
  }

  #goOn(): void {
    if (this.#underWay !== undefined || this.#newest === undefined) return;
    this.#worker ??= this.#start();
    this.#underWay = this.#newest;
    this.#newest = undefined;
    this.#timer = setTimeout(() => this.#break(`no answer within ${this.#limitMs / 1000} s`), this.#limitMs);
    this.#worker.postMessage(this.#underWay.question);
  }

  #start(): Worker {
    const worker = new Worker(this.#parts.url, { type: 'module' });
    this.#limitMs = FIRST_MS;
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (worker !== this.#worker) return; // Ended while its answer was on the way.
      this.#limitMs = ANSWER_MS;
      this.#settle(data);
    });
    worker.addEventListener('error', ({ message }) => {
      if (worker === this.#worker) this.#break(message ?? 'it could not be loaded');
    });
    return worker;
  }

  #break(why: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#settle(this.#parts.broken(why));
  }

  #settle(answer: Answer): void {
    clearTimeout(this.#timer);
    this.#underWay?.answer(answer);
    this.#underWay = undefined;
    this.#goOn();
  }
}

/** In the worker: answers each question. @param answer never rejects */
export function answerQuestions<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  addEventListener('message', async ({ data }: MessageEvent<Question>) => postMessage(await answer(data)));
}
