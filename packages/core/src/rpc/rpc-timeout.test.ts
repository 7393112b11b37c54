import { expect, it } from 'vitest';
import { MAX_RPC_TIMEOUT_MS, rpcTimeoutMs } from './rpc-timeout.ts';

it.each([
  ['nothing said', null, null, 10_000],
  ['a timeout', 7000, null, 7000],
  ['a timeout of 1, raised', 1, null, 5000],
  ['a deadline, which beats the timeout', 60_000, 1_000_300, 300],
  ['a deadline that is past', null, 999_999, -1],
  ['a timeout beyond all bounds', 1e15, null, MAX_RPC_TIMEOUT_MS],
  ['a deadline beyond all bounds', null, 8e15, MAX_RPC_TIMEOUT_MS],
])('TB-51 the time of a call with %s', (_, timeoutMs, expirationTime, expected) => {
  expect(rpcTimeoutMs(timeoutMs, expirationTime, 1_000_000)).toBe(expected);
});
