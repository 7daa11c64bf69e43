import { PbxkitError } from '../../base/errors.js';

/** The call is over, so that nothing can be done with it any more (CALL_ENDED): what a step that waits is rejected with. */
export class CallEndedError extends PbxkitError {
  constructor(step: string) {
    super('CALL_ENDED', 'aborted', `${step} cannot go on: the call has ended`);
  }
}
