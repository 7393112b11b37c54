import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NodeScheduler } from './node-scheduler.ts';

afterEach(() => {
  vi.useRealTimers();
});

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('NodeScheduler', () => {
  it('runs tasks of one turn once, in order, after the turn', async () => {
    const scheduler = new NodeScheduler();
    const order: string[] = [];
    scheduler.endOfTurn(() => order.push('first'));
    scheduler.endOfTurn(() => order.push('second'));
    queueMicrotask(() => order.push('microtask'));
    process.nextTick(() => order.push('tick'));
    expect(order).toEqual([]);
    await immediate();
    expect(order.slice(-2)).toEqual(['first', 'second']);
    expect(order).toHaveLength(4);
    await immediate();
    expect(order).toHaveLength(4);
  });

  it('runs what a task asks for in the next turn', async () => {
    const scheduler = new NodeScheduler();
    const order: string[] = [];
    scheduler.endOfTurn(() => {
      order.push('outer');
      scheduler.endOfTurn(() => order.push('inner'));
    });
    await immediate();
    expect(order).toEqual(['outer']);
    await immediate();
    expect(order).toEqual(['outer', 'inner']);
  });

  it('runs after all sockets that are ready have been read', async () => {
    const scheduler = new NodeScheduler();
    const order: string[] = [];
    let sockets = 0;
    const server = createServer((socket) => {
      sockets++;
      socket.on('data', () => {
        if (order.length === 0) scheduler.endOfTurn(() => order.push('end of turn'));
        order.push('read');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const clients = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(clients.map((client) => once(client, 'connect')));
    while (sockets < 3) await immediate();
    await immediate();
    for (const client of clients) client.write('x');
    while (order.length < 4) await immediate();
    expect(order).toEqual(['read', 'read', 'read', 'end of turn']);
    for (const client of clients) client.destroy();
    server.close();
    await once(server, 'close');
  });

  it('a task that throws takes no other task with it', () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const scheduler = new NodeScheduler();
    const order: string[] = [];
    scheduler.endOfTurn(() => order.push('before'));
    scheduler.endOfTurn(() => {
      throw new RangeError('broken');
    });
    scheduler.endOfTurn(() => order.push('after'));
    expect(() => vi.runOnlyPendingTimers()).toThrow('broken');
    vi.runOnlyPendingTimers();
    expect(order).toEqual(['before', 'after']);
  });

  it('after runs once, every runs until it is cancelled, and both can be cancelled before', () => {
    vi.useFakeTimers();
    const scheduler = new NodeScheduler();
    let once = 0;
    let often = 0;
    let never = 0;
    scheduler.after(100, () => once++);
    const stop = scheduler.every(100, () => often++);
    scheduler.after(100, () => never++)();
    scheduler.every(100, () => never++)();
    vi.advanceTimersByTime(350);
    stop();
    vi.advanceTimersByTime(1000);
    expect({ once, often, never }).toEqual({ once: 1, often: 3, never: 0 });
  });

  it('waits longer than a timer of Node can', () => {
    vi.useFakeTimers();
    const scheduler = new NodeScheduler();
    const day = 86_400_000;
    let once = 0;
    let often = 0;
    scheduler.after(60 * day, () => once++);
    const stop = scheduler.every(30 * day, () => often++);
    scheduler.after(60 * day, () => expect.unreachable())();
    vi.advanceTimersByTime(59 * day);
    expect({ once, often }).toEqual({ once: 0, often: 1 });
    vi.advanceTimersByTime(2 * day);
    expect({ once, often }).toEqual({ once: 1, often: 2 });
    stop();
    vi.advanceTimersByTime(90 * day);
    expect(often).toBe(2);
  });

  it('timers keep no process alive', () => {
    const scheduler = new NodeScheduler();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const cancel = [scheduler.after(60_000, () => undefined), scheduler.every(60_000, () => undefined)];
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
    for (const step of cancel) step();
  });
});
