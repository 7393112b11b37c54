import { MemoryTelemetryStore } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { refuse, success } from '../../errors.ts';
import type { EntityId } from '../../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../../model/profile-settings.ts';
import { TelemetryIngest } from '../../telemetry/ingest.ts';
import { createTelemetryService } from '../../telemetry/service.ts';
import { FakeRuntime, RecordingObserver, settleAll } from '../../telemetry/test-fakes.ts';
import { PointList } from '../../values/point-list.ts';
import { type Value, ValueKind } from '../../values/value.ts';
import { deviceValuesOf } from './device-values.ts';

const DEVICE = { id: 'd1', tenantId: 't' };
const TITLE: ReadonlyMap<string, Value> = new Map([['fw_title', { kind: ValueKind.String, value: 'blink' }]]);

function setUp() {
  const runtime = new FakeRuntime();
  const telemetry = new MemoryTelemetryStore();
  const attributes = telemetry;
  const observer = new RecordingObserver();
  const pushed: [EntityId, unknown][] = [];
  const ingest = new TelemetryIngest({ telemetry, attributes, clock: runtime, scheduler: runtime, observer });
  const service = createTelemetryService({
    telemetry,
    attributes,
    ingest,
    observer,
    clock: runtime,
    scheduler: runtime,
    access: {
      entity: (caller, id) => {
        if (id !== DEVICE.id || caller.tenantId !== DEVICE.tenantId) return refuse('notFound');
        return success({ ...DEVICE, name: 'D', profileId: 'p', gateway: false, settings: DEFAULT_PROFILE_SETTINGS });
      },
    },
    listener: {
      sharedAttributesChanged: (deviceId, change) =>
        pushed.push([deviceId, 'values' in change ? Object.fromEntries(change.values) : change.deleted]),
    },
  });
  const written = async <T>(task: Promise<T>): Promise<T> => {
    await settleAll();
    runtime.endTurn();
    return task;
  };
  return { values: deviceValuesOf(service), service, pushed, written };
}

describe('values that the platform writes for a device', () => {
  it('reach the device as one change, and its removal as one list', async () => {
    const { values, pushed, written } = setUp();
    expect(await written(values.saveShared(DEVICE, TITLE))).toBe('stored');
    expect((await values.readShared(DEVICE, ['fw_title', 'fw_url'])).map(({ key }) => key)).toEqual(['fw_title']);
    expect(await values.removeShared(DEVICE, ['fw_title', 'fw_url'])).toBe('stored');
    expect(pushed).toEqual([
      ['d1', Object.fromEntries(TITLE)],
      ['d1', ['fw_title']],
    ]);
  });

  it('are series like any other', async () => {
    const { values, service, written } = setUp();
    const points = new PointList();
    points.add(5, 'fw_state', ValueKind.String, 'QUEUED');
    points.add(6, 'fw_state', ValueKind.String, 'INITIATED');
    expect(await written(values.saveTelemetry(DEVICE, points))).toBe('stored');
    const caller = { userId: 'u', authority: 'TENANT_ADMIN', tenantId: 't', customerId: 'c' } as const;
    const latest = await service.latest(caller, 'd1', ['fw_state']);
    expect(latest).toMatchObject({ ok: true });
    if (latest.ok) expect(latest.value.get('fw_state')).toMatchObject({ ts: 6, value: 'INITIATED' });
  });

  it('are refused for a device that is gone', async () => {
    const { values } = setUp();
    const gone = { id: 'd2', tenantId: 't' };
    expect(await values.saveShared(gone, TITLE)).toBe('refused');
    expect(await values.readShared(gone, ['fw_title'])).toEqual([]);
    expect(await values.removeShared(gone, ['fw_title'])).toBe('refused');
  });
});
