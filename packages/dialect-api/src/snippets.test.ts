import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mqttEndpoints, mqttSnippets, shellWord, stringLiteral } from './snippets.ts';

const example = {
  username: 'user',
  password: null,
  clientId: null,
  topicName: 'a/b',
  payload: '{"a":1}',
  topicFilter: 'c/#',
};
const endpoint = { host: 'host.example', mqttPort: 1883, mqttsPort: 8883, httpPort: null };
const text = (
  title: string,
  at = endpoint as Parameters<typeof mqttSnippets>[0],
  what = example as Parameters<typeof mqttSnippets>[1],
) => mqttSnippets(at, what).find((snippet) => snippet.title === title)?.text ?? '';

describe('shellWord', () => {
  it('leaves plain words alone and quotes the rest', () => {
    expect(shellWord('v1/devices/me')).toBe('v1/devices/me');
    expect(shellWord('')).toBe("''");
    expect(shellWord("it's")).toBe("'it'\\''s'");
    expect(shellWord('a#b')).toBe("'a#b'");
  });

  it('is one word with the same text for a POSIX shell, whatever it holds', () => {
    const texts = fc.sample(
      fc.string({ unit: 'binary-ascii' }).filter((s) => !s.includes('\0')),
      { numRuns: 60, seed: 7 },
    );
    texts.push('$(id)', '`id`', 'a\'b"c\\', 'x\ny', '; rm', '!!', '-n');
    const script = texts.map((one) => `printf '%s\\0' ${shellWord(one)}`).join('\n');
    expect(execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1)).toEqual(texts);
  });
});

describe('stringLiteral', () => {
  it('is read back by JavaScript', () => {
    for (const one of ['a"b', '\\', '\u2028', 'é😀', "'"]) expect(JSON.parse(stringLiteral(one))).toBe(one);
  });
});

describe('mqttSnippets', () => {
  it('prefers the plain port and falls back to TLS', () => {
    expect(mqttEndpoints(endpoint).map(({ protocol }) => protocol)).toEqual(['mqtt', 'mqtts']);
    expect(text('mosquitto_pub')).toBe(`mosquitto_pub -d -q 1 -h host.example -p 1883 -u user -t a/b -m '{"a":1}'`);
    const tlsOnly = { ...endpoint, mqttPort: null };
    expect(text('mosquitto_pub', tlsOnly)).toContain('-p 8883 --tls-use-os-certs');
    expect(text('MQTT.js', tlsOnly)).toContain('"mqtts://host.example:8883"');
    expect(text('Python (paho-mqtt)', tlsOnly)).toContain('tls=');
  });

  it('is empty without an MQTT port', () => {
    expect(mqttSnippets({ ...endpoint, mqttPort: null, mqttsPort: null }, example)).toEqual([]);
  });

  it('puts an IPv6 address in brackets where it stands in a URL', () => {
    expect(text('MQTT.js', { ...endpoint, host: '::1' })).toContain('"mqtt://[::1]:1883"');
    expect(text('mosquitto_pub', { ...endpoint, host: '::1' })).toContain('-h ::1');
  });

  it('names client ID and password where there are some', () => {
    const all = { ...example, clientId: 'c 1', password: 'p"w' };
    expect(text('mosquitto_sub', endpoint, all)).toBe(
      `mosquitto_sub -v -q 1 -h host.example -p 1883 -i 'c 1' -u user -P 'p"w' -t 'c/#'`,
    );
    expect(text('MQTT.js', endpoint, all)).toContain('{ clientId: "c 1", username: "user", password: "p\\"w" }');
    expect(text('Arduino (PubSubClient)', endpoint, all)).toContain('mqtt.connect("c 1", "user", "p\\"w")');
    expect(text('Arduino (PubSubClient)')).toContain('mqtt.connect("arduino", "user", NULL)');
  });
});
