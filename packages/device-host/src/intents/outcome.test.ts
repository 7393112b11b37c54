import { performAndTell } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { FakeSession, FakeToken, HostFixture, MESSAGE, points } from '../test-fakes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const fixture = new HostFixture({ time: new FakeTime() });
  const device = fixture.connect();
  const say = (intents: Parameters<typeof performAndTell>[0]) => {
    const token = new FakeToken();
    device.session.disposition = performAndTell(intents, 'told');
    device.connection.publish(MESSAGE, token);
    return token;
  };
  return { fixture, device, say };
}

const TELEMETRY = { kind: 'telemetry', points: points() } as const;
const ATTRIBUTES = { kind: 'attributes', scope: 'CLIENT', values: points() } as const;

describe('a device that is told what became of its message', () => {
  it('hears it once, after every effect is durable and after the acknowledgement may go', () => {
    const { fixture, device, say } = setUp();
    const token = say([TELEMETRY, ATTRIBUTES]);
    expect([token.held, device.handle.pushed]).toEqual([2, []]);
    const [first, second] = fixture.owed.splice(0);
    first?.release('stored');
    expect(device.handle.pushed).toEqual([]);
    second?.release('stored');
    expect(token.outcomes).toEqual(['stored', 'stored']);
    expect(device.handle.pushed).toEqual(['told=stored']);
  });

  it.each(['full', 'failed'] as const)('hears the worst: %s', (worst) => {
    const { fixture, device, say } = setUp();
    say([TELEMETRY, ATTRIBUTES]);
    const [first, second] = fixture.owed.splice(0);
    first?.release(worst);
    second?.release('stored');
    expect(device.handle.pushed).toEqual([`told=${worst}`]);
  });

  it('hears at once where nothing waits, and `refused` where not all was taken', () => {
    const { device, say } = setUp();
    say([]);
    expect(device.handle.pushed).toEqual(['told=stored']);
    for (let n = 0; n <= 1000; n++) {
      say([{ kind: 'attributesRequest', clientKeys: 'all', sharedKeys: null, ref: 'r' }]);
    }
    expect(device.handle.pushed.at(-1)).toBe('told=refused');
  });
});

describe('what only the dialect knows', () => {
  it('a request goes to the dialect of the connection, and its answer to the device that asked', async () => {
    const { fixture, device } = setUp();
    const asked: string[] = [];
    fixture.answerRequest = async ({ id }, request, params) => {
      asked.push(`${id} ${request} ${params}`);
      return '{"a":1}';
    };
    device.say([{ kind: 'dialectRequest', request: 'shadow', params: '{}', ref: 'answer' }]);
    await turn();
    expect(asked).toEqual(['d1 shadow {}']);
    expect(device.handle.pushed).toEqual(['answer={"a":1}']);
    expect(device.session.replies).toEqual([{ kind: 'dialect', ref: 'answer', subDevice: null, payload: '{"a":1}' }]);
  });

  it('a dialect that breaks is reported, and the device hears nothing', async () => {
    const { fixture, device } = setUp();
    fixture.answerRequest = () => Promise.reject(new TypeError('broken'));
    device.say([{ kind: 'dialectRequest', request: 'shadow', params: '{}', ref: 'answer' }]);
    await turn();
    expect(fixture.faults).toHaveLength(1);
    expect(device.handle.pushed).toEqual([]);
  });

  it('what the CONNECT says of a device is carried out when its connection opens', () => {
    const fixture = new HostFixture({ time: new FakeTime() });
    const session = new FakeSession();
    session.openingIntents = [ATTRIBUTES];
    fixture.connectSession(session);
    expect(fixture.events).toEqual(['connected d1', 'attributes d1 CLIENT 1']);
    fixture.commit();
  });

  it('a device that hears commands without a subscription is sent what waits as soon as it is there', () => {
    const fixture = new HostFixture({ time: new FakeTime() });
    fixture.connect();
    expect(fixture.platform.listening).toEqual([]);
    const session = new FakeSession();
    session.listensAtOnce = true;
    fixture.connectSession(session);
    expect(fixture.platform.listening).toEqual(['d1']);
  });

  it('messages of the opening are sent at once, and count as the first answer', () => {
    const time = new FakeTime();
    const fixture = new HostFixture({ time });
    const session = new FakeSession();
    session.openingMessages = [{ topicName: 'welcome', payload: new TextEncoder().encode('a'), qos: 0 }];
    session.closeAfterReplyMs = 10_000;
    const { handle } = fixture.connectSession(session);
    expect(handle.pushed).toEqual(['welcome=a']);
    time.advance(9_999);
    expect(handle.disconnected).toEqual([]);
    time.advance(1);
    expect(handle.disconnected).toHaveLength(1);
  });
});
