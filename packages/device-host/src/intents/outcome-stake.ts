import type { AckToken } from '@moorage/mqtt-broker';

type StoreOutcome = Parameters<AckToken['release']>[0];

const SEVERITY: Readonly<Record<StoreOutcome, number>> = { stored: 0, full: 1, failed: 2 };

/** Hands the stakes of a message on to its token, and tells once what became of all of them. */
export class OutcomeStake implements AckToken {
  readonly #token: AckToken;
  readonly #tell: (outcome: StoreOutcome) => void;
  /** One of them is its own, until every intent has been taken up. */
  #holds = 1;
  #outcome: StoreOutcome = 'stored';

  constructor(token: AckToken, tell: (outcome: StoreOutcome) => void) {
    this.#token = token;
    this.#tell = tell;
  }

  hold(): void {
    this.#holds++;
    this.#token.hold();
  }

  release(outcome: StoreOutcome): void {
    if (SEVERITY[outcome] > SEVERITY[this.#outcome]) this.#outcome = outcome;
    this.#token.release(outcome);
    this.#end();
  }

  /** Every intent of the message has been taken up. */
  taken(): void {
    this.#end();
  }

  #end(): void {
    this.#holds--;
    if (this.#holds === 0) this.#tell(this.#outcome);
  }
}
