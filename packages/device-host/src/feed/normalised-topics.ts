import { formatValue, type PointList } from '@moorage/core';

const ROOT = 'moorage/devices/';

/** A device's name as one topic level: `%`, `/`, `+`, `#` and control characters percent-encoded. architecture.md, Spaces */
export function encodeDeviceName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is to be encoded
  return name.replace(/[%/+#\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const bytes = new TextEncoder().encode(character);
    return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

/** The topics under which the platform offers one device in its tenant's `plain` space. */
export class NormalisedTopics {
  readonly telemetry: string;
  readonly clientAttributes: string;
  readonly sharedAttributes: string;
  readonly serverAttributes: string;
  readonly events: string;
  readonly #rpcResponse: string;

  constructor(deviceName: string) {
    const device = ROOT + encodeDeviceName(deviceName);
    this.telemetry = `${device}/telemetry`;
    this.clientAttributes = `${device}/attributes/client`;
    this.sharedAttributes = `${device}/attributes/shared`;
    this.serverAttributes = `${device}/attributes/server`;
    this.events = `${device}/events`;
    this.#rpcResponse = `${device}/rpc/response/`;
  }

  rpcResponse(id: string): string {
    return this.#rpcResponse + id;
  }
}

/** `{"ts":…,"values":{…}}` for each moment of the list, in the order of first appearance. */
export function telemetryPayloads(points: PointList): string[] {
  const groups = new Map<number, string[]>();
  for (let index = 0; index < points.length; index++) {
    const ts = points.ts[index] ?? 0;
    let members = groups.get(ts);
    if (members === undefined) {
      members = [];
      groups.set(ts, members);
    }
    members.push(member(points, index));
  }
  return Array.from(groups, ([ts, members]) => `{"ts":${ts},"values":{${members.join(',')}}}`);
}

/** `{"ts":…,"values":{…}}` of attributes written at one moment. */
export function attributesPayload(ts: number, values: PointList): string {
  const members: string[] = [];
  for (let index = 0; index < values.length; index++) members.push(member(values, index));
  return `{"ts":${ts},"values":{${members.join(',')}}}`;
}

function member(points: PointList, index: number): string {
  const kind = points.kinds[index];
  const value = points.values[index];
  if (kind === undefined || value === undefined) return '';
  return `${JSON.stringify(points.keys[index])}:${formatValue({ kind, value })}`;
}
