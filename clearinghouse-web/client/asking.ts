/** Of questions to a worker and its answers. */
interface Numbered {
  readonly id: number;
}

interface WorkerParts<Answer> {
  /** The address of its script. */
  readonly url: string;
  /** What is answered to all that wait when it cannot start or breaks. @param message why */
  readonly broken: (message: string) => Answer;
}

/** Asks a worker, which is started with the first question, and again after it broke. */
export class WorkerClient<Question, Answer> {
  readonly #parts: WorkerParts<Answer>;
  #worker: Worker | undefined;
  #last = 0;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(parts: WorkerParts<Answer>) {
    this.#parts = parts;
  }

  async ask(question: Question): Promise<Answer> {
    const worker = this.#worker ?? this.#start();
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ id, question } satisfies Numbered & { question: Question });
    return await promise;
  }

  #start(): Worker {
    const worker = new Worker(this.#parts.url, { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Numbered & { answer: Answer }>) => {
      this.#waiting.get(data.id)?.(data.answer);
      this.#waiting.delete(data.id);
    });
    worker.addEventListener('error', ({ message }) => {
      worker.terminate();
      this.#worker = undefined;
      for (const answer of this.#waiting.values()) answer(this.#parts.broken(message ?? 'it could not be loaded'));
      this.#waiting.clear();
    });
    return worker;
  }
}

/** In the worker: answers each question. @param answer never rejects */
export function answerQuestions<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  addEventListener('message', async ({ data: { id, question } }: MessageEvent<Numbered & { question: Question }>) => {
    postMessage({ id, answer: await answer(question) });
  });
}
