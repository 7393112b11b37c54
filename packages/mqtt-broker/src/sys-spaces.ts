import { splitFilter } from './subscription.ts';

/** Spaces in which somebody subscribes below `$SYS/`. */
export class SysSpaces {
  readonly #counts = new Map<string, number>();
  /** Told of every such subscription. */
  onAdded: ((space: string) => void) | null = null;

  entered(space: string, filter: string): void {
    if (!isBelowSys(filter)) return;
    this.#counts.set(space, (this.#counts.get(space) ?? 0) + 1);
    this.onAdded?.(space);
  }

  left(space: string, filter: string): void {
    if (!isBelowSys(filter)) return;
    const count = (this.#counts.get(space) ?? 0) - 1;
    if (count > 0) this.#counts.set(space, count);
    else this.#counts.delete(space);
  }

  names(): string[] {
    return [...this.#counts.keys()];
  }
}

/** No wildcard at the first level matches `$SYS`. [MQTT-4.7.2-1] */
function isBelowSys(filter: string): boolean {
  return filter.startsWith('$') && splitFilter(filter).topicFilter.startsWith('$SYS/');
}
