import { describe, expect, it } from 'vitest';
import { snippetOf } from './snippet.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the snippet of a body', () => {
  it('hides what looks like a secret, and says that nothing was there', () => {
    const body = {
      name: 'Boiler',
      authority: 'TENANT_ADMIN',
      password: 'hunter2',
      wifiPassword: 'hunter2',
      accessToken: 'hunter2',
      credentialsId: 'hunter2',
      credentialsValue: '{"password":"hunter2"}',
      provisionDeviceKey: 'hunter2',
      secretKey: '',
      apiKey: null,
      deep: [{ appSecret: 'hunter2' }],
      file: 'name,token\nA,hunter2',
      headers: { Authorization: 'Bearer hunter2' },
    };
    const text = JSON.stringify(snippetOf(body));
    expect(text).not.toContain('hunter2');
    expect(snippetOf(body)).toMatchObject({
      name: 'Boiler',
      authority: 'TENANT_ADMIN',
      password: '***',
      secretKey: null,
      apiKey: null,
    });
  });

  it('keeps of an address only where it leads to', () => {
    expect(snippetOf({ url: 'https://me:pw@api.example.org/bot123:abc/send?x=y' })).toEqual({
      url: 'https://api.example.org',
    });
  });

  it('reads bytes as JSON, and tells of others by their size', () => {
    expect(snippetOf(bytes('{"fan":true,"token":"x"}'))).toEqual({ fan: true, token: '***' });
    expect(snippetOf(bytes('not json'))).toEqual({ bytes: 8 });
    expect(snippetOf(new Uint8Array([0xff, 0xfe]))).toEqual({ bytes: 2 });
    expect(snippetOf(bytes(`"${'x'.repeat(20_000)}"`))).toEqual({ bytes: 20_002 });
  });

  it('is small, however large and deep the body', () => {
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`m${n}`, 'x'.repeat(1000)]));
    let deep: unknown = 'end';
    for (let level = 0; level < 100; level += 1) deep = { wide, level, items: Array(1000).fill(deep) };
    for (const body of [wide, deep, Array(1000).fill(wide), 'x'.repeat(1_000_000)]) {
      expect(JSON.stringify(snippetOf(body)).length).toBeLessThan(10_000);
    }
  });

  it('takes `__proto__` for plain data', () => {
    const snippet = snippetOf(JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(snippet)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(snippet)).toBe(Object.prototype);
  });
});
