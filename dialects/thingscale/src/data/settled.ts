import type { Completion, WriteOutcome } from '@moorage/core';
import { worst } from './channel-stream.ts';

/**
 * What became of a write that takes a completion; at once `stored` if it held nothing. Without a deadline: the connection
 * that waits has one.
 */
export function settled(write: (completion: Completion) => void): Promise<WriteOutcome> {
  return new Promise((resolve) => {
    let held = 1;
    const outcomes: WriteOutcome[] = [];
    const completion: Completion = {
      hold() {
        held++;
      },
      release(outcome) {
        outcomes.push(outcome);
        held--;
        if (held === 0) resolve(worst(outcomes));
      },
    };
    write(completion);
    completion.release('stored');
  });
}
