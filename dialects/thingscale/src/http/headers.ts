import type { DeviceDesk, DeviceRequest } from '@moorage/dialect-api';

/** A header by its name in lower case, trimmed; undefined: it is absent or empty. */
export function headerOf({ headers }: DeviceRequest, name: string): string | undefined {
  const value = headers?.[name];
  return typeof value === 'string' ? value.trim() || undefined : undefined;
}

/** A header that names something: sent as UTF-8, handed over byte by byte. RFC 9110, 5.5 leaves such bytes to us. */
export function nameHeader(request: DeviceRequest, desk: DeviceDesk, name: string): string | undefined {
  const value = headerOf(request, name);
  if (value === undefined || !/[\u0080-\u00ff]/.test(value)) return value;
  const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
  return desk.text(bytes) ?? value;
}
