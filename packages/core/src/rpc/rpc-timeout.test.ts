import { expect, it } from 'vitest';
import { MAX_RPC_TIMEOUT_MS, rpcExpirationTime, rpcTimeoutMs, rpcTimeoutWithin } from './rpc-timeout.ts';

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

it.each([
  ['nothing said', null, null, 8000],
  ['the shortest timeout', 1000, null, 1000],
  ['the longest', 8000, null, 8000],
  ['one too short', 999, null, null],
  ['one too long', 8001, null, null],
  ['a deadline, which beats the timeout', 9000, 1_002_000, 2000],
  ['a deadline that is too near', null, 1_000_999, null],
  ['one that is too far', null, 1_008_001, null],
])('ALI-68 the time of a call that may take 1 to 8 seconds with %s', (_, timeoutMs, expirationTime, expected) => {
  expect(rpcTimeoutWithin({ minimum: 1000, maximum: 8000 }, timeoutMs, expirationTime, 1_000_000)).toBe(expected);
});
