/** Attribute that switches the reporting of logs on. Section 4.6 */
export const LOG_MODE_ATTRIBUTE = 'logMode';

/** Of packages, which devices of this vendor hear about in another way. thingsboard-device.md, 7.2 */
const PACKAGE_KEY = /^(?:fw|sw)_/;

/** Is a shared attribute a property that somebody desires of the device, and none of the platform's own? */
export function isProperty(key: string): boolean {
  return key !== LOG_MODE_ATTRIBUTE && !PACKAGE_KEY.test(key);
}
