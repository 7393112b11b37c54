import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { deviceRef, HostFixture } from './test-fakes.ts';

describe('what a message does to another device', () => {
  it('is told to those who follow that device, and stored nowhere', () => {
    const fixture = new HostFixture({ time: new FakeTime() });
    const relay = deviceRef('relay');
    fixture.devices.set(relay.id, relay);
    const sender = fixture.connect();
    fixture.events.length = 0;
    const event = { kind: 'deviceEvent', type: 'downlink', detail: 'A message from 82b52f8b.' } as const;
    const { token } = sender.say([
      { ...event, deviceId: relay.id },
      { ...event, deviceId: 'nobody' },
    ]);
    expect(fixture.events).toEqual(['downlink relay: A message from 82b52f8b.']);
    expect(token.held).toBe(0);
  });
});
