const MAXIMUM_NAME_LENGTH = 255;

/** Tells whether a text may name a device behind a gateway: 1 to 255 characters, not blank, without control characters. */
export function isDeviceName(text: string): boolean {
  if (text.length > MAXIMUM_NAME_LENGTH || text.trim() === '') return false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return false;
  }
  return true;
}
