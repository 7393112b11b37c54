import { describe, expect, it } from 'vitest';
import { previewOf } from './payload-preview.ts';

const encoder = new TextEncoder();

function text(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return undefined;
  }
}

describe('the beginning of a payload', () => {
  it('is text where it can be read', () => {
    for (const payload of ['', '{"a":\t1}\r\n', 'grün', '😀']) {
      expect(previewOf(encoder.encode(payload), text)).toEqual({ text: payload, hex: null, cut: false });
    }
  });

  it('is hexadecimal where it is no text, or has control characters', () => {
    for (const [payload, hex] of [
      [Uint8Array.of(0xff, 0x0a), 'ff0a'],
      [Uint8Array.of(0x41, 0), '4100'],
      [Uint8Array.of(0x1b, 0x5b), '1b5b'],
      [Uint8Array.of(0xc2, 0x85), 'c285'],
      [Uint8Array.of(0xc3), 'c3'],
    ] as const) {
      expect(previewOf(payload, text)).toEqual({ text: null, hex, cut: false });
    }
    expect(previewOf(new Uint8Array(1_000), text)).toEqual({ text: null, hex: '00'.repeat(128), cut: true });
  });

  it('ends between characters, whatever their length', () => {
    for (const character of ['a', 'ü', '€', '😀']) {
      for (let shift = 0; shift < 4; shift++) {
        const payload = 'x'.repeat(shift) + character.repeat(600);
        const preview = previewOf(encoder.encode(payload), text);
        expect(preview).toMatchObject({ hex: null, cut: true });
        expect(payload.startsWith(preview.text ?? '?')).toBe(true);
        expect(encoder.encode(preview.text ?? '').length).toBeGreaterThan(508);
      }
    }
  });
});
