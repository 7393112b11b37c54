import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

const known = ['mqtt.port', 'http.port', 'host', 'storage.durability'];

describe('nearestName', () => {
  it.each([
    ['mqtt.prot', 'mqtt.port'],
    ['mqt.port', 'mqtt.port'],
    ['MQTT.Port', 'mqtt.port'],
    ['hsot', 'host'],
    ['storage.durabilty', 'storage.durability'],
  ])('finds for %s %s', (given, expected) => {
    expect(nearestName(given, known)).toBe(expected);
  });

  it.each(['', 'x', 'telemetry', 'colour', 'm'.repeat(100_000)])('finds nothing near %.20s', (given) => {
    expect(nearestName(given, known)).toBeNull();
  });
});
