/** Why a connection is not read; several may hold at once. */
export const Pause = {
  /** CONNECT is not answered yet. */
  Authenticating: 1,
  /** As many acknowledgements are owed as may be. */
  Unacknowledged: 2,
  /** A store was full, and 3.x has no word for it. */
  StoreFull: 4,
  /** Subscribers do not keep up. */
  BackPressure: 8,
  /** The client does not take our answers. */
  Output: 16,
  /** The stores are behind. */
  Stores: 32,
  /** More came than the rates allow. */
  Rate: 64,
} as const;
export type Pause = (typeof Pause)[keyof typeof Pause];
