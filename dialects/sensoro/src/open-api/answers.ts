import type { DeviceHttpAnswer } from '@moorage/dialect-api';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Texts by code. The first two are the vendor's. sensoro.md, 4.7 */
const ERRORS = {
  5020610: 'sns is required array of strings',
  5020612: 'interval is a required integer greater than 60',
  5020613: 'deviceType is required',
  5020614: 'cfg is a required object of numbers',
  5020615: 'customerData is a required hex string',
  5020404: 'device not found',
  5020405: 'station not found',
  5020416: 'invalid query parameter',
} as const;
export type OpenApiError = keyof typeof ERRORS;

/** Why a call did not come as far as its route. sensoro.md, 4.7 and 6 */
export const INFOS = {
  signature: [400, 'Invalid signature'],
  nonce: [400, 'Invalid nonce'],
  rate: [429, 'Too many requests'],
  tooLarge: [413, 'Request entity too large'],
  failed: [500, 'Internal server error'],
} as const;

function json(status: number, body: object): DeviceHttpAnswer {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

export function info(kind: keyof typeof INFOS): DeviceHttpAnswer {
  const [status, text] = INFOS[kind];
  return json(status, { info: text });
}

export function invalidJson(): DeviceHttpAnswer {
  return json(400, { err_code: 5020400, err_msg: 'invalid json' });
}

/** 200 all the same: clients look at `err_code`. */
export function error(code: OpenApiError): DeviceHttpAnswer {
  return json(200, { err_code: code, err_msg: ERRORS[code] });
}

export function success(data: unknown): DeviceHttpAnswer {
  return json(200, { err_code: 0, data });
}
