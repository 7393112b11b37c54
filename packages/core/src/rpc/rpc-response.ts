/** Whether the text is JSON, as an answer of a device should be. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON text of an answer; words that are not JSON become a text. */
export function toJsonText(payload: string): string {
  return isJson(payload) ? payload : JSON.stringify(payload);
}

/** JSON text of the reason why a persistent RPC failed. */
export function failureText(error: string): string {
  return JSON.stringify({ error });
}

/** JSON text of what became of a command that was routed. */
export function receiversText(receivers: number): string {
  return JSON.stringify({ receivers });
}

/** In ThingsBoard's words. thingsboard-device.md, 4.3 */
export function retriesExhausted(retries: number): string {
  return failureText(`There was a Timeout and all retry attempts have been exhausted. Retry attempts set: ${retries}`);
}
