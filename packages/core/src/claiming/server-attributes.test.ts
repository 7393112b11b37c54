import { MemoryTelemetryStore } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { AttributeStore } from '../ports/telemetry-store.ts';
import { ValueKind } from '../values/value.ts';
import { createServerAttributes } from './server-attributes.ts';

const OWNER = '00000000-0000-4000-8000-000000000001';
const STATE = { kind: ValueKind.String, value: 'provisioned' };

function scene(attributes: AttributeStore) {
  const told: string[] = [];
  const server = createServerAttributes({
    attributes,
    clock: { now: () => 5000 },
    observer: {
      attributesStored: (owner, scope, points) => told.push(`${owner} ${scope} ${points.keys} ${points.ts}`),
      attributesRemoved: (owner, scope, keys) => told.push(`${owner} ${scope} -${keys}`),
    },
  });
  return { server, told };
}

describe('server attributes', () => {
  it('are written, read and removed in the scope SERVER, and everybody hears of it', async () => {
    const store = new MemoryTelemetryStore();
    const { server, told } = scene(store);
    expect(await server.save(OWNER, new Map([['provisionState', STATE]]))).toBe('stored');
    const [stored] = await store.read(OWNER, null, null);
    expect(stored).toEqual({ scope: 'SERVER', key: 'provisionState', ...STATE, lastUpdateTs: 5000 });
    expect(await server.read(OWNER, ['provisionState', 'other'])).toEqual(new Map([['provisionState', STATE]]));
    expect(await server.remove(OWNER, ['provisionState'])).toBe('stored');
    expect(await server.read(OWNER, ['provisionState'])).toEqual(new Map());
    expect(told).toEqual([`${OWNER} SERVER provisionState 5000`, `${OWNER} SERVER -provisionState`]);
  });

  it('are not announced when they were not kept', async () => {
    const { server, told } = scene({ save: async () => 'full', read: async () => [] });
    expect(await server.save(OWNER, new Map([['a', STATE]]))).toBe('full');
    expect(await server.remove(OWNER, ['a'])).toBe('full');
    expect(told).toEqual([]);
  });
});
