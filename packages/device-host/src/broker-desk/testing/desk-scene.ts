import type { Broker } from '@moorage/mqtt-broker';
import { FakeTime, MemoryStream, RawClient, readText, TEST_LISTENER, WHOLE_STANDARD } from '@moorage/testkit';
import { afterEach, expect } from 'vitest';
import type { DeskLimits } from '../desk-options.ts';
import { Scene } from '../test-scene.ts';

const scenes: Scene<RawClient>[] = [];

/** Ends the scenes of a test behind it; none may leave a trace or a timer. */
export function endScenes(): void {
  afterEach(async () => {
    for (const scene of scenes.splice(0)) expect(await scene.end()).toEqual({ traced: [], timers: 0 });
  });
}

/** A scene whose clients are in memory, begun. */
export async function open(limits: Partial<DeskLimits> = {}) {
  const time = new FakeTime();
  const connect = (broker: Broker, clientId: string, remoteAddress: string) => {
    const stream = new MemoryStream();
    broker.accept(stream, { ...TEST_LISTENER, remoteAddress });
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 600 } });
    return client;
  };
  const scene = new Scene<RawClient>({ time, readText, policy: WHOLE_STANDARD, connect }, limits);
  scenes.push(scene);
  await scene.broker.start();
  return { scene, time };
}

/** What a desk answered; throws what it refused. */
export function value<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string },
): T {
  if (!result.ok) throw new TypeError(result.message);
  return result.value;
}
