import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';

const PATHS = ['/api/sample-test', '/api/sample-test/'] as const;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;
const BODY_LIMIT = 1024;

const NOT_FOUND: DeviceHttpAnswer = { status: 404, contentType: null, body: null };
const NOT_ALLOWED: DeviceHttpAnswer = {
  status: 405,
  contentType: null,
  headers: { allow: 'GET, POST, PUT' },
  body: null,
};

/** The text that the modem tutorials write and read, one for the whole server. Section 4.7 */
class SampleResource {
  #value = '';

  async handle(
    method: DeviceHttpRoute['method'],
    { body }: DeviceRequest,
    desk: DeviceDesk,
  ): Promise<DeviceHttpAnswer> {
    if (method === 'DELETE') return NOT_ALLOWED;
    if (method !== 'GET') {
      const text = desk.text(body);
      if (text === undefined) return { status: 400, contentType: 'text/plain', body: 'The body is not UTF-8.' };
      this.#value = text;
    }
    return { status: 200, contentType: 'application/json', body: JSON.stringify({ value: this.#value }) };
  }
}

/**
 * The routes of the test resource. Off, they are there to answer 404: without them the path would belong to the API,
 * which asks who it is first. recognition.md, section 7
 */
export function sampleRoutes(isOn: boolean): readonly DeviceHttpRoute[] {
  const resource = new SampleResource();
  return PATHS.flatMap((path) =>
    METHODS.map(
      (method): DeviceHttpRoute => ({
        method,
        path,
        bodyLimit: BODY_LIMIT,
        handle: async (request, desk) => (isOn ? resource.handle(method, request, desk) : NOT_FOUND),
        tooLarge: () => (isOn ? { status: 413, contentType: null, body: null } : NOT_FOUND),
      }),
    ),
  );
}
