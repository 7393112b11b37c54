import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { DeviceTokens } from './device-tokens.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const identity = { productKey: 'a1b2C3d4E5f', deviceName: 'lamp-01' };

function setUp() {
  const time = { now: 1_700_000_000_000, secret: 'the secret' as string | null };
  const tokens = new DeviceTokens({
    hmac: (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex'),
    now: () => time.now,
    secretOf: () => time.secret,
  });
  return { time, tokens };
}

it('ALI-29 a token holds for seven days and is told apart from a wrong one afterwards', () => {
  const { time, tokens } = setUp();
  const token = tokens.issueNamed(identity) ?? '';
  expect(token.length).toBeLessThanOrEqual(192);
  time.now += 7 * DAY_MS - 1000;
  expect(tokens.checkNamed(token)).toEqual(identity);
  time.now += 2000;
  expect(tokens.checkNamed(token)).toBe('expired');
  // The time itself is part of what is proven.
  expect(tokens.checkNamed(token.replace(/^\d{10}/, '9999999999'))).toBe('bad');
});

it('ALI-27 a token is good for its use, its device and its secret alone', () => {
  const { time, tokens } = setUp();
  const token = tokens.issue(identity, 'mqtt') ?? '';
  expect(token).toHaveLength(64);
  expect(tokens.check(identity, 'mqtt', token)).toBe('good');
  expect(tokens.check(identity, 'http', token)).toBe('bad');
  expect(tokens.check({ ...identity, deviceName: 'lamp-02' }, 'mqtt', token)).toBe('bad');
  expect(tokens.check(identity, 'mqtt', '')).toBe('bad');
  expect(tokens.checkNamed('no name')).toBe('bad');
  time.secret = 'another secret';
  expect(tokens.check(identity, 'mqtt', token)).toBe('bad');
  time.secret = null;
  expect(tokens.issue(identity, 'mqtt')).toBeNull();
});
