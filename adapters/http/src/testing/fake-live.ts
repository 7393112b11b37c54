import {
  DEFAULT_PROFILE_SETTINGS,
  deviceSource,
  EntityQueries,
  type EntityQueryService,
  LiveHub,
  type Point,
  refuse,
  success,
} from '@moorage/core';
import { fakeDevices } from './fake-devices.ts';
import { type FakeState, TENANT_ID } from './fake-state.ts';

/** A hub that knows the devices of the state. */
export function fakeLive(state: FakeState): LiveHub {
  return new LiveHub({
    access: (caller, id) => {
      if (caller.authority === 'SYS_ADMIN') return refuse('permissionDenied');
      const device = state.devices.get(id);
      if (device === undefined) return refuse('notFound');
      const { name, deviceProfileId: profileId } = device;
      return success({ id, tenantId: TENANT_ID, name, profileId, gateway: false, settings: DEFAULT_PROFILE_SETTINGS });
    },
    clock: { now: () => state.now },
    fault: () => undefined,
  });
}

/** Queries over the devices, series and attributes of the state. */
export function fakeEntities(state: FakeState): EntityQueryService {
  const latest: (Point | null)[] = [];
  return new EntityQueries({
    sources: [deviceSource(fakeDevices(state))],
    telemetry: {
      seriesOf(owner) {
        const series = state.series.get(owner) ?? new Map<string, Point[]>();
        return new Map(Array.from(series, ([key, points]) => [key, latest.push(points.at(-1) ?? null) - 1]));
      },
      latest: async (series) => series.map((id) => latest[id] ?? null),
    },
    attributes: {
      read: async (owner, scope, keys) =>
        (state.attributes.get(owner) ?? []).filter(
          (one) => (scope === null || one.scope === scope) && (keys === null || keys.includes(one.key)),
        ),
    },
    owners: { customerTitle: async () => null, tenantName: async () => 'default' },
    scheduler: { endOfTurn: (task) => void setImmediate(task) },
  });
}
