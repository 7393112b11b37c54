/** Which part of a list. `pageSize` is at least 1, `page` counts from 0. */
export interface ListQuery {
  readonly pageSize: number;
  readonly page: number;
  /** Part of what is shown, in any case; null: everything. */
  readonly textSearch: string | null;
}

export interface ListPage<T> {
  readonly data: readonly T[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
  /** False: there is more than one call looks at, so the totals count a part only. */
  readonly complete: boolean;
}

/** Picks one page out of everything that is offered, and counts the rest. */
export class PageCollector<T> {
  readonly #pageSize: number;
  readonly #from: number;
  readonly #data: T[] = [];
  #count = 0;

  constructor({ pageSize, page }: ListQuery) {
    this.#pageSize = pageSize;
    this.#from = page * pageSize;
  }

  /** One more element; `make` is called if it is on the page. */
  offer(make: () => T): void {
    const index = this.#count++;
    if (index >= this.#from && this.#data.length < this.#pageSize) this.#data.push(make());
  }

  page(complete: boolean): ListPage<T> {
    return {
      data: this.#data,
      totalPages: Math.ceil(this.#count / this.#pageSize),
      totalElements: this.#count,
      hasNext: this.#from + this.#pageSize < this.#count,
      complete,
    };
  }
}

/** Does one of the texts hold what is searched for? */
export function searchOf(textSearch: string | null): (...texts: (string | null)[]) => boolean {
  const wanted = (textSearch ?? '').toLowerCase();
  if (wanted === '') return () => true;
  return (...texts) => texts.some((text) => text?.toLowerCase().includes(wanted) === true);
}
