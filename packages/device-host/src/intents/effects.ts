import type { ClaimIntent, Completion, DeviceIntent, DeviceRef, EntityId, Intent, TelemetrySink } from '@moorage/core';
import type { HostContext } from '../host-context.ts';

/** Intents that change something and are answered by an acknowledgement alone. */
export type EffectIntent = Extract<DeviceIntent, { kind: 'telemetry' | 'attributes' | 'rpcResponse' | 'claim' }>;

export function isEffect(intent: Intent): intent is EffectIntent {
  const { kind } = intent;
  return kind === 'telemetry' || kind === 'attributes' || kind === 'rpcResponse' || kind === 'claim';
}

/** Carries out effects for whichever way they came: connection, gateway, HTTP or CoAP. */
export class Effects {
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
  }

  /** `completion` is held for every store that the effect waits for. `receivedAt`: epoch milliseconds. */
  perform(
    device: DeviceRef,
    sink: TelemetrySink,
    intent: EffectIntent,
    receivedAt: number,
    completion: Completion,
  ): void {
    const { ingest, feed, platform } = this.#context.parts;
    switch (intent.kind) {
      case 'telemetry':
        ingest.submit(sink, intent.points, completion, feed.wantsTelemetry(device) || this.#isHeard(device.id));
        return;
      case 'attributes':
        ingest.submitAttributes(device.id, intent.scope, intent.values, receivedAt, completion);
        return;
      case 'rpcResponse':
        platform.commands.answer(device.id, intent.id, intent.payload);
        return;
      case 'claim':
        this.#claim(device, intent, completion);
        return;
      default:
        intent satisfies never;
    }
  }

  #isHeard(deviceId: EntityId): boolean {
    return this.#context.parts.wantsTelemetry?.(deviceId) ?? false;
  }

  /** The window is durable before the acknowledgement. thingsboard-device.md, 5.1 */
  #claim(device: DeviceRef, { secretKey, durationMs }: ClaimIntent, completion: Completion): void {
    completion.hold();
    const failed = (error: unknown): void => {
      this.#context.fault(error);
      completion.release('failed');
    };
    this.#context.parts.platform.claims
      .open(device, secretKey, durationMs)
      .then((outcome) => completion.release(outcome))
      .catch(failed);
  }
}
