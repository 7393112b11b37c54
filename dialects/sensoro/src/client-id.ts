const SUFFIX_PATTERN = /^[-_0-9a-zA-Z]{0,36}$/;

/** The AppID, or the AppID, a solidus and up to 36 letters, digits, `-` and `_`. sensoro.md, 1 */
export function clientIdFits(clientId: string, appId: string): boolean {
  if (clientId === appId) return true;
  return clientId.startsWith(`${appId}/`) && SUFFIX_PATTERN.test(clientId.slice(appId.length + 1));
}
