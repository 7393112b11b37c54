/** Time a call may take if its caller says nothing. thingsboard-server.md, 4.1 */
export const DEFAULT_RPC_TIMEOUT_MS = 10_000;

/** Shorter timeouts are raised to this. */
export const MIN_RPC_TIMEOUT_MS = 5000;

/** Longest time a call is kept; later deadlines are brought forward to it. */
export const MAX_RPC_TIMEOUT_MS = 24 * 3_600_000;

/** Latest time that a date can name. */
const MAX_EPOCH_MS = 8.64e15;

/** When a persistent RPC expires, epoch milliseconds; it may be any time ahead. thingsboard-device.md, 4.2 */
export function rpcExpirationTime(timeoutMs: number | null, expirationTime: number | null, now: number): number {
  const wanted = expirationTime ?? now + Math.max(timeoutMs ?? DEFAULT_RPC_TIMEOUT_MS, MIN_RPC_TIMEOUT_MS);
  return Math.min(wanted, MAX_EPOCH_MS);
}

/**
 * Milliseconds a call may take: `expirationTime` (epoch milliseconds) beats `timeoutMs`, which is raised to 5 s. Zero or
 * less: the deadline is past. thingsboard-server.md, 4.1
 */
export function rpcTimeoutMs(timeoutMs: number | null, expirationTime: number | null, now: number): number {
  if (expirationTime !== null) return Math.min(expirationTime - now, MAX_RPC_TIMEOUT_MS);
  return Math.min(Math.max(timeoutMs ?? DEFAULT_RPC_TIMEOUT_MS, MIN_RPC_TIMEOUT_MS), MAX_RPC_TIMEOUT_MS);
}

/** How long calls of a method may take, in milliseconds, both included. */
export interface RpcTimeoutRange {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * The same where the vendor gives the range: nothing is raised, and a caller who says nothing gets no more than it allows.
 * null: what was asked for is outside.
 */
export function rpcTimeoutWithin(
  { minimum, maximum }: RpcTimeoutRange,
  timeoutMs: number | null,
  expirationTime: number | null,
  now: number,
): number | null {
  const asked = expirationTime === null ? timeoutMs : expirationTime - now;
  if (asked === null) return Math.min(DEFAULT_RPC_TIMEOUT_MS, maximum);
  return asked < minimum || asked > maximum ? null : asked;
}
