import { FakeCrypto } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { randomText } from './random-text.ts';
import { jsonProblem, nameProblem, textProblem } from './text-rules.ts';

describe('names and texts', () => {
  it.each(['a', 'Pump 5 < 6', 'x > y', '温度', 'é', 'n'.repeat(255)])('takes %s', (name) => {
    expect(nameProblem('Device', name)).toBeNull();
  });

  it.each(['<b>', 'a<script>x', '</p>', 'x<!--', '<?php', '<IMG src=x>'])('refuses HTML markup: %s', (name) => {
    expect(nameProblem('Device', name)).toMatchObject({
      code: 'badRequest',
      message: 'Validation error: name is malformed',
    });
  });

  it('refuses blank names, long texts, control characters and lone surrogates', () => {
    expect(nameProblem('Device', ' \t')).toMatchObject({ message: 'Device name should be specified!' });
    expect(textProblem('label', 'l'.repeat(256))).toMatchObject({
      message: 'Validation error: label length must be equal or less than 255',
    });
    for (const text of ['a\u0000', 'a\nb', '\u0085', '\ud800']) expect(textProblem('label', text)).not.toBeNull();
    expect(textProblem('label', null)).toBeNull();
  });

  it('bounds free JSON', () => {
    expect(jsonProblem('additionalInfo', { text: 'x'.repeat(1000) })).toBeNull();
    expect(jsonProblem('additionalInfo', { text: 'x'.repeat(1_048_576) })).toMatchObject({ code: 'badRequest' });
    expect(jsonProblem('additionalInfo', null)).toBeNull();
  });
});

describe('random texts', () => {
  it('TBS-21 has the length asked for and letters and digits only', () => {
    const crypto = new FakeCrypto();
    for (let count = 0; count < 200; count += 1) expect(randomText(crypto, 20)).toMatch(/^[A-Za-z0-9]{20}$/);
  });

  it('draws every character equally often, from bytes without bias', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    let offset = 0;
    const crypto = {
      randomBytes: (length: number) => Uint8Array.from({ length }, () => bytes[offset++ % 256] ?? 0),
    };
    const counts = new Map<string, number>();
    // 31 rounds of 256 bytes, of which 248 count: every one of 62 characters comes 4 times a round.
    for (const character of randomText(crypto, 248 * 31)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(new Set(counts.values())).toEqual(new Set([124]));
    expect(counts.size).toBe(62);
  });
});
