import { expect, it } from 'vitest';
import { MAX_RPC_TIMEOUT_MS, rpcExpirationTime, rpcTimeoutMs } from './rpc-timeout.ts';

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

it.each([
  ['nothing said', null, null, 1_010_000],
  ['a timeout of 1, raised', 1, null, 1_005_000],
  ['a timeout of a week', 604_800_000, null, 605_800_000],
  ['a deadline, which beats the timeout', 60_000, 1_000_300, 1_000_300],
  ['a deadline that is past', null, 999_999, 999_999],
  ['a timeout beyond all bounds', 9e15, null, 8.64e15],
])('TB-51 the end of a persistent RPC with %s', (_, timeoutMs, expirationTime, expected) => {
  expect(rpcExpirationTime(timeoutMs, expirationTime, 1_000_000)).toBe(expected);
});
