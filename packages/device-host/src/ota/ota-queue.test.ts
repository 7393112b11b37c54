import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { deviceRef, FakeDownload, type FakeLink, HostFixture } from '../test-fakes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(content = 'abcdefgh') {
  const fixture = new HostFixture({ time: new FakeTime() });
  const download = new FakeDownload(content);
  fixture.platform.open = async () => download;
  return { fixture, download, device: fixture.connect() };
}

function ask(link: FakeLink, chunk: number, size: number, requestId = '1'): object {
  const ref = `fw/${requestId}/${chunk}`;
  return link.say([{ kind: 'otaChunk', type: 'FIRMWARE', requestId, chunk, size, ref }]);
}

describe('OtaQueue', () => {
  it('TB-80 chunks make up the file, the last one is short, the one behind it is empty', async () => {
    const { device, fixture } = setUp();
    for (const chunk of [0, 1, 2, 3]) ask(device, chunk, 3);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/1=def', 'fw/1/2=gh', 'fw/1/3=']);
    expect(fixture.platform.calls.filter((call) => call.startsWith('open'))).toEqual(['open d1 FIRMWARE']);
  });

  it('7.3 a chunk far past the end is empty, also where the offset is beyond exact numbers', async () => {
    const { device } = setUp();
    ask(device, 9_007_199_254_740_991, 65_536);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/9007199254740991=']);
  });

  it('7.3 size 0 is the whole file, pulled as the connection takes it, and open until then', async () => {
    const { device, download } = setUp('x'.repeat(100_000));
    ask(device, 0, 0);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=100000 bytes']);
    expect(download.reads).toEqual([]);
    device.lose();
    expect(download.closings).toBe(0);
    const [payload] = device.handle.payloads;
    if (payload === undefined || payload instanceof Uint8Array) throw new TypeError('nothing was pulled');
    expect(await payload.read(99_990, 100)).toHaveLength(10);
    payload.close();
    payload.close();
    expect(download.closings).toBe(1);
  });

  it('7.3 behind a whole file comes nothing', async () => {
    const { device } = setUp();
    ask(device, 1, 0);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/1=']);
  });

  it('7.3 a size given once holds for later requests of the same number', async () => {
    const { device } = setUp();
    ask(device, 0, 3);
    ask(device, 1, 0);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/1=def']);
  });

  it('7.3 the package stays bound to the request number until the connection ends', async () => {
    const { device, fixture, download } = setUp();
    ask(device, 0, 3);
    await turn();
    fixture.platform.open = async () => new FakeDownload('newer');
    ask(device, 1, 3);
    ask(device, 0, 3, '2');
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/1=def', 'fw/2/0=new']);
    expect(download.closings).toBe(0);
    device.lose();
    expect(download.closings).toBe(1);
  });

  it('7.3 what cannot be had is said, and asked for anew the next time', async () => {
    const { device, fixture, download } = setUp();
    fixture.platform.open = async () => 'notFound';
    ask(device, 0, 3);
    await turn();
    fixture.platform.open = async () => 'elsewhere';
    ask(device, 0, 3);
    await turn();
    fixture.platform.open = async () => download;
    ask(device, 0, 65_537);
    ask(device, 0, 3);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=notFound', 'fw/1/0=elsewhere', 'fw/1/0=tooLarge', 'fw/1/0=abc']);
    expect(device.handle.disconnected).toEqual([]);
  });

  it('7.3 sends a chunk that is in memory at once, in its turn behind one that is read', async () => {
    const { device, download } = setUp();
    ask(device, 0, 3);
    await turn();
    download.inMemory = 6;
    ask(device, 1, 3);
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/1=def']);
    expect(download.reads).toHaveLength(1);
    ask(device, 2, 3);
    ask(device, 0, 3);
    expect(device.handle.pushed).toHaveLength(2);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/1=def', 'fw/1/2=gh', 'fw/1/0=abc']);
    expect(download.reads).toHaveLength(2);
    device.lose();
    expect(download.closings).toBe(1);
  });

  it('reads one chunk after the other and refuses the request behind a hundred that wait', async () => {
    const { device, download, fixture } = setUp();
    download.slow = true;
    for (let chunk = 0; chunk < 101; chunk++) ask(device, 0, 3);
    await turn();
    expect(download.reads).toHaveLength(1);
    expect(device.handle.pushed).toEqual([]);
    ask(device, 0, 3);
    expect(device.handle.pushed).toEqual(['fw/1/0=failed']);
    expect(fixture.counted).toContain('ota_refused');
    download.slow = false;
    download.reads[0]?.resolve();
    await turn();
    expect(device.handle.pushed).toHaveLength(102);
  });

  it('reads no further ahead than the device takes', async () => {
    const { device, download } = setUp('x'.repeat(1_000_000));
    for (let chunk = 0; chunk < 10; chunk++) ask(device, chunk, 40_000);
    await turn();
    expect(download.reads).toHaveLength(2);
    device.handle.take();
    await turn();
    expect(download.reads).toHaveLength(4);
  });

  it('a read that fails is said, reported and does not end the download', async () => {
    const { device, fixture } = setUp();
    const broken = new FakeDownload('abc');
    broken.read = () => Promise.reject(new TypeError('disk'));
    fixture.platform.open = async () => broken;
    ask(device, 0, 3);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=failed']);
    expect(fixture.faults).toHaveLength(1);
    broken.read = async () => new Uint8Array([0x61]);
    ask(device, 0, 3);
    await turn();
    expect(device.handle.pushed).toEqual(['fw/1/0=failed', 'fw/1/0=a']);
  });

  it('a chunk that the client cannot take is told as too large', async () => {
    const { device } = setUp();
    ask(device, 0, 3);
    await turn();
    device.handle.take('lost');
    expect(device.handle.pushed).toEqual(['fw/1/0=abc', 'fw/1/0=tooLarge']);
  });

  it('closes the package not used for longest when a connection uses many numbers', async () => {
    const { device, fixture } = setUp();
    const downloads: FakeDownload[] = [];
    fixture.platform.open = async () => {
      const download = new FakeDownload('abc');
      downloads.push(download);
      return download;
    };
    for (let id = 0; id < 10; id++) {
      ask(device, 0, 1, String(id));
      await turn();
      device.handle.take();
    }
    expect(downloads.map(({ closings }) => closings)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    device.lose();
    expect(downloads.every(({ closings }) => closings === 1)).toBe(true);
  });

  it('a package that opens after the connection was lost is closed', async () => {
    const { device, download } = setUp();
    ask(device, 0, 3);
    device.lose();
    await turn();
    expect(download.closings).toBe(1);
    expect(download.reads).toEqual([]);
  });

  it('a thousand devices share the reads: at most 32 at once, each gets its first chunk before any its third', async () => {
    const { fixture } = setUp();
    let running = 0;
    let most = 0;
    const order: string[] = [];
    fixture.platform.open = async (deviceId) => {
      const download = new FakeDownload('abcdefgh');
      const { read } = download;
      download.read = async (offset, length) => {
        running++;
        most = Math.max(most, running);
        order.push(deviceId);
        await turn();
        running--;
        return read.call(download, offset, length);
      };
      return download;
    };
    const links = Array.from({ length: 1_000 }, (_, index) => fixture.connect({ device: deviceRef(`d${index}`) }));
    for (const link of links) for (const chunk of [0, 1, 2]) ask(link, chunk, 3);
    for (let n = 0; n < 10_000 && order.length < 3_000; n++) await turn();
    await turn();
    expect(most).toBe(32);
    const reads = new Map<string, number>();
    const third = order.findIndex((id) => reads.set(id, (reads.get(id) ?? 0) + 1).get(id) === 3);
    expect(reads.size).toBe(1_000);
    expect(third).toBeGreaterThanOrEqual(1_000);
    expect(links.every((link) => link.handle.pushed.length === 3)).toBe(true);
  });
});
