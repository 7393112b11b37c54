import { describe, expect, it } from 'vitest';
import { createLog } from './create-log.ts';

function recorded(settings: { level?: string; readable?: boolean; colour?: boolean } = {}) {
  const lines: string[] = [];
  const { level = 'info', readable = false, colour = false } = settings;
  const log = createLog({ level, readable, colour, write: (line) => lines.push(line) });
  return { log, lines };
}

describe('log', () => {
  it('writes one JSON line with time, level, message and fields', () => {
    const { log, lines } = recorded();
    log.info({ clientId: 'c1', connection: 7 }, 'connected');
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toEqual({ level: 'info', time: expect.any(String), clientId: 'c1', connection: 7, msg: 'connected' });
    expect(Math.abs(Date.parse(line.time) - Date.now())).toBeLessThan(60_000);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
  });

  it('leaves out what is less severe than its level', () => {
    const { log, lines } = recorded({ level: 'warn' });
    log.info('no');
    log.warn('yes');
    expect(lines).toHaveLength(1);
    expect(recorded({ level: 'silent' }).lines).toEqual([]);
  });

  it('leaves out secrets, whatever holds them', () => {
    for (const readable of [false, true]) {
      const { log, lines } = recorded({ readable });
      log.info(
        { password: 'hunter2', user: { token: 'hunter2', name: 'ann' }, headers: { authorization: 'hunter2' } },
        'x',
      );
      log.info(
        { deviceToken: 'hunter2', credentials: { appKey: 'hunter2', appSecret: 'hunter2', apiToken: 'hunter2' } },
        'z',
      );
      log.child({ accessToken: 'hunter2' }).info({ configuration: { adminPassword: 'hunter2' } }, 'y');
      expect(lines.join('')).not.toContain('hunter2');
      expect(lines.join('')).toContain('ann');
    }
  });

  it('writes errors with their stack', () => {
    const json = recorded();
    json.log.error(new RangeError('broken'), 'failed');
    expect(JSON.parse(json.lines[0] ?? '').err.stack).toContain('RangeError: broken');
    const readable = recorded({ readable: true });
    readable.log.error(new RangeError('broken'), 'failed');
    expect(readable.lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ERROR failed\n {4}RangeError: broken\n {8}at /);
  });

  it('writes a readable line on a terminal, in colour only where wanted', () => {
    const plain = recorded({ readable: true });
    plain.log.info({ port: 1883, host: '127.0.0.1', words: 'two words' }, 'listening');
    expect(plain.lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}listening port=1883 host=127\.0\.0\.1 words="two words"\n$/,
    );
    const coloured = recorded({ readable: true, colour: true });
    coloured.log.warn('careful');
    expect(coloured.lines[0]).toContain('\u001b[33mWARN \u001b[0m careful');
  });

  it('lets no text from outside move the cursor or forge a line', () => {
    const { log, lines } = recorded({ readable: true });
    log.info({ clientId: 'x\u001b[2J' }, 'a\nb\u001b[2J');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\u001b');
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
  });
});
