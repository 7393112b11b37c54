import type { Clock, EntityId } from '@moorage/core';
import type { ConnectPacket } from '@moorage/dialect-api';
import type { ListenerInfo } from '@moorage/mqtt-broker';
import type { Recognition } from '../admission/recognition.ts';
import type { DeviceConnection } from '../device-connection.ts';
import { ConnectionLog, type ConnectionLogEntry, shorten } from './connection-log.ts';

/** Writes the lines of the connection log. */
export class ConnectionNotes {
  readonly log = new ConnectionLog();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A CONNECT that was answered with a refusal. */
  refusedConnect(
    connect: ConnectPacket,
    via: ListenerInfo,
    recognition: Exclude<Recognition, { readonly outcome: 'accepted' }>,
  ): void {
    const { refusal } = recognition;
    const unclaimed = recognition.outcome === 'unclaimed' ? recognition : null;
    this.log.add({
      ts: this.#clock.now(),
      event: 'refused',
      tenantId: null,
      principalId: null,
      dialect: recognition.outcome === 'refused' ? recognition.dialect.manifest.id : null,
      address: via.remoteAddress,
      listener: via.listener,
      level: connect.level,
      clientId: connect.clientId,
      username: connect.username === null ? null : shorten(connect.username),
      code: connect.level === 5 ? refusal.reasonCode : refusal.returnCode,
      reason: refusal.reason,
      row: unclaimed?.refusal.row ?? null,
      looksLike: unclaimed?.refusal.looksLike ?? null,
      said: unclaimed?.said ?? [],
    });
  }

  /** A request without a connection that showed a wrong credential. `name` may be a token. */
  refusedRequest(listener: string, address: string, name: string, reason: string): void {
    this.log.add({
      ...NO_CONNECTION,
      ts: this.#clock.now(),
      event: 'refused',
      address,
      listener,
      username: shorten(name),
      reason,
    });
  }

  /** Something about a request without a connection of a known device. */
  request(listener: string, tenantId: EntityId, deviceId: EntityId, code: number, reason: string): void {
    this.log.add({
      ...NO_CONNECTION,
      ts: this.#clock.now(),
      event: 'message',
      tenantId,
      principalId: deviceId,
      listener,
      code,
      reason,
    });
  }

  /** Something about a connection of a known principal; `about`: a device behind it. */
  note(
    connection: DeviceConnection,
    event: 'connected' | 'disconnected' | 'message',
    code: number,
    reason: string,
    about: EntityId | null = null,
  ): void {
    const { principal, handle, principalId } = connection;
    if (handle === null || principalId === null) return;
    this.log.add({
      ts: this.#clock.now(),
      event,
      tenantId: principal.tenantId,
      principalId: about ?? principalId,
      dialect: principal.dialect,
      address: handle.via.remoteAddress,
      listener: handle.via.listener,
      level: handle.level,
      clientId: handle.clientId,
      username: connection.username === null ? null : shorten(connection.username),
      code,
      reason,
      row: null,
      looksLike: null,
      said: [],
    });
  }
}

const NO_CONNECTION: Omit<ConnectionLogEntry, 'ts' | 'event' | 'listener' | 'reason'> = {
  tenantId: null,
  principalId: null,
  dialect: null,
  address: '',
  level: 0,
  clientId: '',
  username: null,
  code: 0,
  row: null,
  looksLike: null,
  said: [],
};
