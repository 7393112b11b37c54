import { describe, expect, it } from 'vitest';
import { describeOutcome } from './command-desk.ts';

describe('what an application is told of its command', () => {
  it.each([
    [{ kind: 'answer', payload: '{"on":true}' }, { result: { on: true } }],
    [{ kind: 'sent' }, { result: null }],
    [{ kind: 'routed', receivers: 3 }, { result: { receivers: 3 } }],
    [{ kind: 'routed', receivers: 0 }, { result: { receivers: 0 } }],
  ] as const)('is the result of %j', (outcome, told) => {
    expect(JSON.parse(describeOutcome(outcome))).toEqual(told);
  });

  it.each([
    [{ kind: 'answer', payload: 'x' }, 'notJson'],
    [{ kind: 'timeout' }, 'timeout'],
    [{ kind: 'expired' }, 'timeout'],
    [{ kind: 'offline', reason: 'notConnected' }, 'notConnected'],
    [{ kind: 'offline', reason: 'notSubscribed' }, 'notSubscribed'],
    [{ kind: 'notSupported' }, 'notSupported'],
    [{ kind: 'tooLarge' }, 'tooLarge'],
    [{ kind: 'notStored', outcome: 'full' }, 'notStored'],
    [{ kind: 'tooMany' }, 'tooMany'],
    [{ kind: 'stopped' }, 'stopped'],
  ] as const)('is an error with a code for %j', (outcome, code) => {
    expect(JSON.parse(describeOutcome(outcome))).toEqual({ error: { code, message: expect.any(String) } });
  });
});
