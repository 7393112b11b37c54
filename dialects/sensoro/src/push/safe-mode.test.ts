import { createDecipheriv, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { keyBytes } from '../app-key.ts';
import { aes256Cbc, examples } from '../testing/tools.ts';
import { encryptData, safeModePlainText } from './safe-mode.ts';

/** The package that the vendor's demo receiver decrypts with. */
interface WechatCrypto {
  decrypt(text: string): { readonly message: string; readonly id: string };
}
const Receiver: new (token: string, encodingAesKey: string, id: string) => WechatCrypto = createRequire(
  import.meta.url,
)('wechat-crypto');

const KEY = keyBytes(examples.appKey) ?? new Uint8Array(0);

function encrypt(message: string, appId: string = examples.appId): string {
  return encryptData(aes256Cbc, KEY, appId, message, new Uint8Array(randomBytes(16)));
}

/** Written from the description alone. sensoro.md, 2.4 */
function decryptByHand(text: string): { readonly message: string; readonly id: string; readonly padding: number } {
  const key = Buffer.from(`${examples.appKey}=`, 'base64');
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(text, 'base64'), decipher.final()]);
  const padding = plain.at(-1) ?? 0;
  expect(plain.length % 32).toBe(0);
  expect(padding).toBeGreaterThanOrEqual(1);
  expect(padding).toBeLessThanOrEqual(32);
  expect(plain.subarray(-padding).every((byte) => byte === padding)).toBe(true);
  const length = plain.readUInt32BE(16);
  const message = plain.subarray(20, 20 + length).toString();
  return { message, id: plain.subarray(20 + length, -padding).toString(), padding };
}

describe('the key', () => {
  it('SEN-28 is that of the example, and strict decoders read the same', () => {
    expect(Buffer.from(KEY).toString('hex')).toBe(examples.key);
    for (let i = 0; i < 200; i++) {
      const text = randomBytes(32).toString('base64').slice(0, 43);
      expect(Buffer.from(keyBytes(text) ?? [])).toEqual(Buffer.from(`${text}=`, 'base64'));
    }
  });

  it('is none with another length, with padding in it or with other characters', () => {
    const { appKey } = examples;
    const wrong = ['', appKey.slice(1), `${appKey}=`, `${appKey}A`, `${appKey.slice(1)}=`, `-${appKey.slice(1)}`];
    for (const text of wrong) expect(keyBytes(text), text).toBeNull();
  });
});

describe('safe mode', () => {
  it('SEN-28 has the plain text and the cipher text of the example', () => {
    const random = Buffer.from(examples.random, 'hex');
    const message = new TextEncoder().encode(examples.message);
    expect(Buffer.from(safeModePlainText(message, examples.appId, random)).toString('hex')).toBe(examples.plainText);
    expect(encryptData(aes256Cbc, KEY, examples.appId, examples.message, random)).toBe(examples.encryptData);
  });

  it('SEN-29 is decrypted by an independent implementation and by the package of the demo receiver, 1,000 times', () => {
    const receiver = new Receiver(examples.appSecret, examples.appKey, examples.appId);
    for (let i = 0; i < 1_000; i++) {
      const message = JSON.stringify({ i, text: '😀é"'.repeat(i % 50), x: i / 7 });
      const text = encrypt(message);
      expect(decryptByHand(text)).toMatchObject({ message, id: examples.appId });
      expect(receiver.decrypt(text)).toEqual({ message, id: examples.appId });
    }
  });

  it('SEN-30 messages of 0 to 200 bytes are padded to 32 bytes, a whole block where they are aligned', () => {
    const paddings = new Set<number>();
    for (let length = 0; length <= 200; length++) {
      const { message, padding } = decryptByHand(encrypt('m'.repeat(length)));
      expect(message).toHaveLength(length);
      paddings.add(padding);
    }
    expect([...paddings].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
  });

  it('SEN-31 the same message is never the same text', () => {
    const encrypted = new Set(Array.from({ length: 100 }, () => encrypt(examples.message)));
    expect(encrypted.size).toBe(100);
  });
});
