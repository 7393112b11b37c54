import { callerOf, FakeCrypto, FakeTime, MemoryRepositories, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { StorageMonitor, type StorageMonitorOptions } from './storage-monitor.ts';
import { STORAGE_SAMPLES } from './storage-samples.ts';

const SYSTEM = callerOf('SYS_ADMIN', NULL_ID);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function scene(parts: Partial<StorageMonitorOptions> = {}) {
  const repositories = parts.repositories ?? new MemoryRepositories();
  const time = new FakeTime();
  const used = { telemetry: 1000, registry: 500, free: 10_000 };
  const reports: unknown[] = [];
  const options: StorageMonitorOptions = {
    repositories,
    stores: async () => [
      { name: 'telemetry', bytes: used.telemetry },
      { name: 'registry', bytes: used.registry },
    ],
    telemetry: async () => ({ bytes: used.telemetry, points: 7, series: 2, oldest: 5, state: 'ok' }),
    disk: async () => ({ freeBytes: used.free, totalBytes: 20_000 }),
    retentionDays: 30,
    tenantCount: () => 1,
    crypto: new FakeCrypto(),
    clock: time,
    scheduler: time,
    report: (error) => reports.push(error),
    ...parts,
  };
  const monitor = new StorageMonitor(options);
  const report = async () => succeeded(await monitor.report(SYSTEM));
  /** Hours in which the telemetry grows evenly. */
  const grow = async (hours: number, bytesPerHour: number) => {
    for (let hour = 0; hour < hours; hour += 1) {
      used.telemetry += bytesPerHour;
      time.advance(HOUR);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  return { monitor, options, time, used, report, grow, reports, repositories };
}

describe('the storage report', () => {
  it('says what is used, and measures growth before it speaks of it', async () => {
    const s = scene();
    await s.monitor.start();
    expect(await s.report()).toEqual({
      bytes: 1500,
      stores: [
        { name: 'telemetry', bytes: 1000 },
        { name: 'registry', bytes: 500 },
      ],
      points: 7,
      series: 2,
      oldest: 5,
      state: 'ok',
      growthPerDay: null,
      measuredMs: 0,
      disk: { freeBytes: 10_000, totalBytes: 20_000 },
      fullAt: null,
      retentionDays: 30,
    });
    await s.grow(2, 10);
    expect(await s.report()).toMatchObject({ growthPerDay: 240, measuredMs: 2 * HOUR });
    s.used.free = 480;
    expect((await s.report()).fullAt).toBe(s.time.now() + 2 * DAY);
    await s.monitor.close();
    expect(s.time.timers).toBe(0);
  });

  it('forgets what is older than a week', async () => {
    const s = scene();
    await s.monitor.start();
    await s.grow(24, 1000);
    await s.grow(8 * 24, 1);
    expect(await s.report()).toMatchObject({ growthPerDay: 24, measuredMs: 7 * DAY });
    await s.monitor.close();
  });

  it('says of a store that shrinks, and of a slow one, that the disk never fills', async () => {
    const s = scene();
    await s.monitor.start();
    s.used.free = 1e15;
    await s.grow(3, 1);
    expect((await s.report()).fullAt).toBeNull();
    await s.grow(3, -10);
    expect(await s.report()).toMatchObject({ growthPerDay: -108, fullAt: null });
    await s.monitor.close();
  });

  it('keeps one sample a day across restarts', async () => {
    const s = scene();
    await s.monitor.start();
    await s.grow(49, 10);
    await s.monitor.close();
    const window = { textSearch: null, sort: 'createdTime', descending: false, offset: 0, limit: 10 };
    const { total } = await s.repositories.documents(STORAGE_SAMPLES, { ...window, tenantId: null, conditions: [] });
    expect(total).toBe(3);
    const next = new StorageMonitor(s.options);
    await next.start();
    expect(succeeded(await next.report(SYSTEM))).toMatchObject({ growthPerDay: 240, measuredMs: 49 * HOUR });
    await next.close();
  });

  it('is for the system administrator, and for the administrator of the only tenant', async () => {
    let tenants = 1;
    const s = scene({ tenantCount: () => tenants });
    const admin = callerOf('TENANT_ADMIN', 't');
    expect((await s.monitor.report(admin)).ok).toBe(true);
    tenants = 2;
    expect(await s.monitor.report(admin)).toMatchObject({ code: 'permissionDenied' });
    expect(await s.monitor.report(callerOf('CUSTOMER_USER', 't', 'c'))).toMatchObject({ code: 'permissionDenied' });
  });

  it('does without a disk that cannot be asked, and goes on after a store that failed', async () => {
    const s = scene({ disk: async () => null, stores: () => Promise.reject(new TypeError('gone')) });
    await s.monitor.start();
    expect(s.reports).toHaveLength(1);
    await expect(s.monitor.report(SYSTEM)).rejects.toThrow('gone');
    const other = scene({ disk: async () => null });
    await other.monitor.start();
    await other.grow(2, 10);
    expect(await other.report()).toMatchObject({ disk: null, growthPerDay: 240, fullAt: null });
    await Promise.all([s.monitor.close(), other.monitor.close()]);
  });
});
