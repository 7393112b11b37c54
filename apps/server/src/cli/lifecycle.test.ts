import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../log/create-log.ts';
import { Lifecycle } from './lifecycle.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('Lifecycle', () => {
  it('ends the process within 10 s when a stop takes longer (F6)', () => {
    vi.useFakeTimers();
    const events = new EventEmitter();
    const exits: number[] = [];
    const lines: string[] = [];
    const log = createLog({ level: 'info', readable: false, colour: false, write: (line) => lines.push(line) });
    const lifecycle = new Lifecycle(
      { events, exit: (code) => void exits.push(code), stderr: { write: () => true } },
      log,
    );
    lifecycle.watch();
    events.emit('SIGTERM');
    expect(lifecycle.stopping).toBe(true);
    vi.advanceTimersByTime(9000);
    expect(exits).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(exits).toEqual([1]);
    expect(lines.join('')).toContain('not stopped after 9500 ms');
    lifecycle.unwatch();
    expect(events.eventNames()).toEqual([]);
  });

  it('forgets its limit when the stop was in time', () => {
    vi.useFakeTimers();
    const events = new EventEmitter();
    const exits: number[] = [];
    const log = createLog({ level: 'silent', readable: false, colour: false, write: () => undefined });
    const lifecycle = new Lifecycle(
      { events, exit: (code) => void exits.push(code), stderr: { write: () => true } },
      log,
    );
    lifecycle.watch();
    events.emit('SIGINT');
    lifecycle.unwatch();
    vi.advanceTimersByTime(60_000);
    expect(exits).toEqual([]);
  });

  it.each([
    [false, 1, false],
    [true, 0, true],
  ])('takes SIGHUP on a terminal (%s) for a stop, elsewhere for a reload', async (isTTY, reloads, stops) => {
    const events = new EventEmitter();
    const log = createLog({ level: 'silent', readable: false, colour: false, write: () => undefined });
    const lifecycle = new Lifecycle({ events, exit: () => undefined, stderr: { write: () => true, isTTY } }, log);
    let count = 0;
    lifecycle.reload = async () => void count++;
    lifecycle.watch();
    events.emit('SIGHUP');
    expect([count, lifecycle.stopping]).toEqual([reloads, stops]);
    lifecycle.unwatch();
    expect(events.eventNames()).toEqual([]);
  });
});
