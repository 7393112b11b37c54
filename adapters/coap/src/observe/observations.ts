import type { Observation } from './observation.ts';

interface Entry {
  readonly endpointKey: string;
  readonly path: string;
  readonly observation: Observation;
}

/** The list of observers, by endpoint and Token. RFC 7641, 4.1 */
export class Observations {
  readonly #maximum: number;
  readonly #maximumPerEndpoint: number;
  readonly #entries = new Map<string, Entry>();
  readonly #ofEndpoint = new Map<string, Set<string>>();

  constructor(maximum: number, maximumPerEndpoint: number) {
    this.#maximum = maximum;
    this.#maximumPerEndpoint = maximumPerEndpoint;
  }

  get size(): number {
    return this.#entries.size;
  }

  isFull(endpointKey: string): boolean {
    return (
      this.#entries.size >= this.#maximum || (this.#ofEndpoint.get(endpointKey)?.size ?? 0) >= this.#maximumPerEndpoint
    );
  }

  add(endpointKey: string, token: Uint8Array, path: string, observation: Observation): void {
    const key = keyOf(endpointKey, token);
    this.#entries.set(key, { endpointKey, path, observation });
    const keys = this.#ofEndpoint.get(endpointKey) ?? new Set();
    this.#ofEndpoint.set(endpointKey, keys.add(key));
  }

  /** Only if it is this observation that has the place. */
  remove(endpointKey: string, token: Uint8Array, observation: Observation): void {
    const key = keyOf(endpointKey, token);
    if (this.#entries.get(key)?.observation !== observation) return;
    this.#entries.delete(key);
    const keys = this.#ofEndpoint.get(endpointKey);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofEndpoint.delete(endpointKey);
  }

  find(endpointKey: string, token: Uint8Array): Observation | undefined {
    return this.#entries.get(keyOf(endpointKey, token))?.observation;
  }

  /** Those of one endpoint for one path: some clients cancel with another Token. */
  ofPath(endpointKey: string, path: string): readonly Observation[] {
    return this.#of(endpointKey).flatMap((entry) => (entry.path === path ? [entry.observation] : []));
  }

  /** The one whose last notification has this Message ID. */
  rejectedBy(endpointKey: string, messageId: number): Observation | undefined {
    return this.#of(endpointKey).find(({ observation }) => observation.isRejectedBy(messageId))?.observation;
  }

  all(): readonly Observation[] {
    return [...this.#entries.values()].map(({ observation }) => observation);
  }

  #of(endpointKey: string): readonly Entry[] {
    return [...(this.#ofEndpoint.get(endpointKey) ?? [])].flatMap((key) => this.#entries.get(key) ?? []);
  }
}

function keyOf(endpointKey: string, token: Uint8Array): string {
  return `${endpointKey}|${Buffer.from(token).toString('hex')}`;
}
