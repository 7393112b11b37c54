import type { CredentialLookup } from '@moorage/core';
import {
  type Authentication,
  type ConnectPacket,
  type ConnectVia,
  type Dialect,
  NOTHING,
  type Principal,
  ReasonCode,
} from '@moorage/dialect-api';
import { describe, expect, it } from 'vitest';
import { Recognizer } from './recognition.ts';

const registry: CredentialLookup = {
  byUsername: () => undefined,
  byClientId: () => undefined,
  byCertificate: () => undefined,
  hasCertificateProfile: () => false,
  deviceOfChain: async () => ({ outcome: 'failed' }),
};
const via: ConnectVia = {
  listener: 'mqtt',
  transport: 'tcp',
  pinnedDialect: null,
  serverName: null,
  clientCertificates: null,
};
const packet: ConnectPacket = {
  type: 1,
  level: 4,
  clientId: 'c',
  cleanStart: true,
  keepAlive: 0,
  will: null,
  username: 'u',
  password: null,
  properties: null,
};
const principal = { dialect: 'x', tenantId: 't' } as Principal;
const accepted: Authentication = { outcome: 'accepted', principal };
const refused: Authentication = {
  outcome: 'refused',
  returnCode: 5,
  reasonCode: ReasonCode.NotAuthorized,
  reason: 'no',
};
const notMine: Authentication = { outcome: 'notMine', reason: 'not in my list' };

function dialect(
  id: string,
  recognise: 'yes' | 'maybe' | 'no',
  answer: Authentication | Promise<Authentication>,
  asked: string[],
): Dialect {
  return {
    manifest: { id, title: id, documents: [], capabilities: [] },
    recognise: () => recognise,
    authenticate: () => {
      asked.push(id);
      return answer;
    },
    openSession: () => ({
      subscribe: () => ({ reasonCode: 0, enter: [] }),
      unsubscribe: () => null,
      publish: () => NOTHING,
      command: () => 'notSupported',
      mayReceive: () => true,
      mayPublishWill: () => true,
    }),
    connectionGuide: () => ({ dialect: id, endpoints: [], fields: [], snippets: [] }),
  };
}

describe('order of recognition', () => {
  it('REC-30 after a Refusal no further dialect is asked', async () => {
    const asked: string[] = [];
    const recognizer = new Recognizer(
      [dialect('a', 'maybe', refused, asked), dialect('b', 'maybe', accepted, asked)],
      registry,
    );
    expect(await recognizer.recognize(packet, via)).toMatchObject({ outcome: 'refused' });
    expect(asked).toEqual(['a']);
  });

  it('those that are sure are asked before those that are not, each group in its order', async () => {
    const asked: string[] = [];
    const recognizer = new Recognizer(
      [
        dialect('a', 'maybe', notMine, asked),
        dialect('b', 'yes', notMine, asked),
        dialect('c', 'no', accepted, asked),
        dialect('d', 'yes', Promise.resolve(notMine), asked),
        dialect('e', 'maybe', Promise.resolve(accepted), asked),
      ],
      registry,
    );
    const result = await recognizer.recognize(packet, via);
    expect(asked).toEqual(['b', 'd', 'a', 'e']);
    expect(result).toMatchObject({ outcome: 'accepted', dialect: { manifest: { id: 'e' } } });
  });

  it('answers without a promise as long as nobody needs one', () => {
    const recognizer = new Recognizer([dialect('a', 'maybe', accepted, [])], registry);
    expect(recognizer.recognize(packet, via)).not.toBeInstanceOf(Promise);
  });

  it('keeps what every candidate said when all pass', async () => {
    const recognizer = new Recognizer(
      [dialect('a', 'maybe', notMine, []), dialect('b', 'maybe', notMine, [])],
      registry,
    );
    expect(await recognizer.recognize(packet, via)).toMatchObject({
      outcome: 'unclaimed',
      refusal: { row: 'F8' },
      said: [
        { dialect: 'a', reason: 'not in my list' },
        { dialect: 'b', reason: 'not in my list' },
      ],
    });
  });

  it('R1 a pinned listener asks its dialect alone, whatever it says from the form', async () => {
    const asked: string[] = [];
    const recognizer = new Recognizer(
      [dialect('a', 'yes', accepted, asked), dialect('b', 'no', notMine, asked)],
      registry,
    );
    const result = await recognizer.recognize(packet, { ...via, pinnedDialect: 'b' });
    expect(asked).toEqual(['b']);
    expect(result.outcome).toBe('unclaimed');
  });
});
