/** Topic Aliases that one connection was told: first come, never remapped. mqtt.md, O-18 */
export class TopicAliases {
  readonly #maximum: number;
  readonly #aliases = new Map<string, number>();

  /** `maximum` is the highest alias that may be sent, from 1 on. [MQTT-3.1.2-26] */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#aliases.size;
  }

  /** The alias that the client knows for this name; 0: none. */
  known(topicName: string): number {
    return this.#aliases.get(topicName) ?? 0;
  }

  /** The alias that a new name would get; 0: all are taken. */
  next(): number {
    return this.#aliases.size < this.#maximum ? this.#aliases.size + 1 : 0;
  }

  /** The packet that tells the client the alias has been staged. */
  told(topicName: string, alias: number): void {
    this.#aliases.set(topicName, alias);
  }
}
