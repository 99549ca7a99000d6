import { type ErrorInit, PotluckError } from '@potluck/protocol';

export type PageCode =
  | 'NO_KEY'
  | 'KEY_FILE_BROKEN'
  | 'WRONG_KEY'
  | 'NO_CRYPTO'
  | 'BAD_NAME'
  | 'TOO_LARGE'
  | 'NOT_KEPT'
  | 'BAD_PAGE';

/** Something that the person in front of the page can change. */
export class PageError extends PotluckError<PageCode> {
  constructor(code: PageCode, message: string, init: ErrorInit = {}) {
    super(code === 'BAD_PAGE' ? 'internal' : 'caller', code, message, init);
  }
}
