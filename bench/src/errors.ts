import { PotluckError } from '@potluck/protocol';

export type BenchCode = 'NO_SUCH_ROW' | 'USAGE' | 'PROGRAM_ENDED' | 'CHILD_FAILED' | 'NO_FIGURE';

/** A measurement that could not be made; a table without its figure would be worse than none. */
export class BenchError extends PotluckError<BenchCode> {
  constructor(code: BenchCode, message: string) {
    super(code === 'USAGE' || code === 'NO_SUCH_ROW' ? 'caller' : 'internal', code, message);
  }
}
