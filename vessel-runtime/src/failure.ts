import { PotluckError } from '@potluck/protocol';
import type { FailureName } from '@potluck/repy-api';

/** A call of the program fails; the code inside the isolate raises it as the error class of this name. */
export class CallFailure extends PotluckError<FailureName> {
  constructor(name: FailureName, message: string) {
    super('program', name, message);
  }
}
