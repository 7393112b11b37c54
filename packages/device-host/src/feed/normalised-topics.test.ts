import { PointList, ValueKind } from '@moorage/core';
import { describe, expect, it } from 'vitest';
import { attributesPayload, encodeDeviceName, NormalisedTopics, telemetryPayloads } from './normalised-topics.ts';

describe('normalised topics (architecture.md, Spaces)', () => {
  it('percent-encodes what a topic level cannot hold, and nothing else', () => {
    expect(encodeDeviceName('100% a/b+c#d\u0007é')).toBe('100%25 a%2Fb%2Bc%23d%07é');
    expect(decodeURIComponent(encodeDeviceName('a%2Fb'))).toBe('a%2Fb');
  });

  it('names every topic of a device', () => {
    const topics = new NormalisedTopics('a/b');
    expect(topics.telemetry).toBe('moorage/devices/a%2Fb/telemetry');
    expect(topics.rpcResponse('7')).toBe('moorage/devices/a%2Fb/rpc/response/7');
  });

  it('groups points by their time and keeps types', () => {
    const points = new PointList();
    points.add(1, 'a', ValueKind.Double, 42);
    points.add(2, 'b', ValueKind.Json, '{"x":[1.0]}');
    points.add(1, 'c"', ValueKind.String, 'q"');
    points.add(1, 'd', ValueKind.Long, 9007199254740993n);
    expect(telemetryPayloads(points)).toEqual([
      '{"ts":1,"values":{"a":42.0,"c\\"":"q\\"","d":9007199254740993}}',
      '{"ts":2,"values":{"b":{"x":[1.0]}}}',
    ]);
    expect(attributesPayload(5, points)).toMatch(/^\{"ts":5,"values":\{"a":42\.0,/);
  });
});
