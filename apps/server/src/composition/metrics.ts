import type { TelemetryIngest, TelemetryStore, Webhooks } from '@moorage/core';
import type { DeviceHost } from '@moorage/device-host';
import type { Broker } from '@moorage/mqtt-broker';
import { Counter, Gauge, Registry } from 'prom-client';

/** Events of one process are named in the sources, so their number is bounded; this is a second lock on that door. */
const MAXIMUM_EVENTS = 500;

/** The metrics of everything but HTTP, which adds its own. Labels are never made from what clients send. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #events = new Counter({
    name: 'moorage_events_total',
    help: 'Drops, refusals, throttles, expiries and other events, by reason.',
    labelNames: ['event'],
    registers: [this.registry],
  });
  readonly #known = new Set<string>();

  count(event: string, amount: number): void {
    if (!this.#known.has(event)) {
      if (this.#known.size >= MAXIMUM_EVENTS) return;
      this.#known.add(event);
    }
    this.#events.inc({ event }, amount);
  }

  /** Figures that are read when somebody asks. */
  watch(broker: Broker, ingest: TelemetryIngest, host: DeviceHost, telemetry: TelemetryStore): void {
    this.#gauges('moorage_mqtt', 'MQTT:', () => ({ ...broker.statistics(), principals: host.connectionCount }));
    this.#gauges('moorage_telemetry', 'Telemetry path:', () => {
      const { telemetry: points, waitingBytes } = ingest.counters();
      return {
        points_received: points.received.points,
        points_stored: points.stored.points,
        points_waiting: points.waiting.points,
        messages_received: points.received.messages,
        messages_stored: points.stored.messages,
        waiting_bytes: waitingBytes,
      };
    });
    const store = new Gauge({
      name: 'moorage_telemetry_store',
      help: 'The telemetry store: bytes, points, series, and whether it takes writes.',
      labelNames: ['figure'],
      registers: [this.registry],
      async collect() {
        const { bytes, points, series, state } = await telemetry.statistics();
        store.set({ figure: 'bytes' }, bytes);
        store.set({ figure: 'points' }, points);
        store.set({ figure: 'series' }, series);
        store.set({ figure: 'writable' }, state === 'ok' ? 1 : 0);
      },
    });
  }

  watchWebhooks(webhooks: Pick<Webhooks, 'statistics'>): void {
    this.#gauges('moorage_webhooks', 'Webhooks:', () => webhooks.statistics());
  }

  #gauges(name: string, help: string, read: () => object): void {
    const gauge = new Gauge({
      name,
      help: `${help} figures of the running server.`,
      labelNames: ['figure'],
      registers: [this.registry],
      collect: () => {
        for (const [figure, value] of Object.entries(read())) {
          if (typeof value === 'number') gauge.set({ figure: snakeCase(figure) }, value);
        }
      },
    });
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
