import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { deviceRef, HostFixture } from './test-fakes.ts';

describe('connections', () => {
  it('lists the live connections of a tenant, page by page, with what consoles show', async () => {
    const time = new FakeTime();
    const fixture = new HostFixture({ time });
    const opened = time.now();
    fixture.connect();
    time.advance(60_000);
    time.jump(1_000);
    fixture.connect({ tenantId: 'other', device: deviceRef('d2') });
    const gateway = fixture.connect({ device: deviceRef('g', { gateway: true }) });
    gateway.say([{ kind: 'subDevice', name: 'A', type: null, intents: [] }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(fixture.host.connections('tenant', 0, 10)).toMatchObject({
      total: 2,
      connections: [
        {
          principalId: 'd1',
          name: 'boiler',
          address: '10.0.0.1',
          level: 5,
          connectedAt: opened + 1_000,
          subDevices: 0,
        },
        { principalId: 'g', subDevices: 1 },
      ],
    });
    expect(fixture.host.connections('tenant', 1, 10).connections).toMatchObject([{ principalId: 'g' }]);
    expect(fixture.host.connections(null, 0, 2)).toMatchObject({ total: 3, connections: [{}, {}] });
    gateway.lose();
    expect(fixture.host.connections('tenant', 0, 10).total).toBe(1);
    expect(fixture.host.connectionCount).toBe(2);
  });
});
