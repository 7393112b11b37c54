import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { CERTIFICATES } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createTcpListener } from './tcp-listener.ts';
import { Bench, closed, material } from './testing/listening.ts';
import { fill, turns } from './testing/streams.ts';
import { createTlsListener } from './tls-listener.ts';

let bench = new Bench();
afterEach(async () => {
  await bench.close();
  bench = new Bench();
});

const CHAIN = `${CERTIFICATES.device.certificate}${CERTIFICATES.intermediate.certificate}`;
const DEVICE = { cert: CHAIN, key: CERTIFICATES.device.key };
const STRANGER = { cert: CERTIFICATES.stranger.certificate, key: CERTIFICATES.stranger.key };
const base64 = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '');
const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

async function open(changes: Parameters<Bench['tls']>[0] = {}, pins: [string, string][] = []) {
  const tls = await bench.tls(changes);
  const options = { ...bench.options, tls, pinnedServerNames: new Map(pins) };
  return { tls, listener: await bench.listen(createTlsListener(options)) };
}

describe('TLS listener', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('carries bytes both ways over %s', async (version) => {
    const { listener } = await open();
    const socket = await bench.connectTls(listener, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    const { stream, seen, via } = await bench.recorded();
    expect(via).toMatchObject({
      listener: 'test',
      transport: 'tls',
      serverName: 'localhost',
      clientCertificates: null,
    });
    const sent = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, index) => index & 0xff));
    socket.write(sent);
    await seen.gotBytes(sent.length);
    expect(seen.bytes().equals(sent)).toBe(true);
    stream.write(Uint8Array.of(1, 2, 3));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([...answer]).toEqual([1, 2, 3]);
    stream.end();
    await closed(socket);
    await seen.closed();
    expect(seen.closes).toEqual([null]);
    expect(listener.connections).toBe(0);
    expect(bench.limits.size).toBe(0);
  });

  it('refuses TLS 1.1 and counts it (B12)', async () => {
    const { listener } = await open();
    const socket = bench.beginTls(listener, {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/PROTOCOL_VERSION|ECONNRESET/);
    await closed(socket);
    await turns(5);
    expect(bench.counts.get('tls.handshake.failed')).toBe(1);
    expect(listener.connections).toBe(0);
  });

  it('tells drain each time the last byte has left, also below the mark of Node', async () => {
    const { listener } = await open();
    const socket = await bench.connectTls(listener);
    const { stream, seen } = await bench.recorded();
    for (let round = 1; round <= 3; round++) {
      const drained = seen.drained();
      stream.write(Uint8Array.of(round));
      expect(stream.writableLength).toBe(1);
      await drained;
      expect(stream.writableLength).toBe(0);
      expect(seen.drains).toBe(round);
    }
    socket.pause();
    const drained = seen.drained();
    stream.write(new Uint8Array(8_000_000));
    await turns(20);
    expect(stream.writableLength).toBeGreaterThan(0);
    expect(seen.drains).toBe(3);
    socket.resume();
    await drained;
    expect(stream.writableLength).toBe(0);
  });

  it('destroy resets a connection whose peer does not read', async () => {
    const { listener } = await open();
    const socket = await bench.connectTls(listener);
    const { stream, seen } = await bench.recorded();
    socket.pause();
    stream.write(new Uint8Array(8_000_000));
    await turns(10);
    expect(stream.writableLength).toBeGreaterThan(0);
    const failed = once(socket, 'error');
    stream.destroy();
    await seen.closed();
    await turns(2);
    expect(listener.connections).toBe(0);
    socket.resume();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('stops reading while paused', async () => {
    const { listener } = await open();
    const socket = await bench.connectTls(listener);
    const { stream, seen } = await bench.recorded();
    stream.pause();
    socket.write('later');
    await turns(20);
    expect(seen.received).toBe(0);
    stream.resume();
    await seen.gotBytes(5);
    expect(seen.bytes().toString()).toBe('later');
  });

  it('passes the chain of a client certificate on, leaf first, and again in a resumed session', async () => {
    const { listener } = await open();
    const [leaf, issuer] = [CERTIFICATES.device.certificate, CERTIFICATES.intermediate.certificate].map(base64);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined;
      for (const reused of [false, true]) {
        const socket = bench.beginTls(listener, { ...DEVICE, maxVersion, ...(session && { session }) });
        const resumable = new Promise<Buffer>((resolve) => socket.once('session', resolve));
        await once(socket, 'secureConnect');
        expect(socket.isSessionReused()).toBe(reused);
        const { via, stream } = await bench.recorded();
        const validity = { validFrom: Date.UTC(2026, 10, 21, 13, 37, 39), validTo: Date.UTC(2126, 9, 28, 13, 37, 39) };
        expect(via.clientCertificates).toEqual([
          { text: leaf, hash: sha3(leaf ?? ''), commonName: 'device 1', ...validity },
          { text: issuer, hash: sha3(issuer ?? ''), commonName: 'test intermediate', ...validity },
        ]);
        stream.write(Uint8Array.of(1));
        session ??= await resumable;
        stream.end();
        await closed(socket);
      }
    }
  });

  it('reads in each full handshake what is presented in it', async () => {
    const { listener } = await open();
    const single = { cert: CERTIFICATES.device.certificate, key: CERTIFICATES.device.key };
    await bench.connectTls(listener, single);
    expect((await bench.recorded()).via.clientCertificates).toHaveLength(1);
    await bench.connectTls(listener, DEVICE);
    expect((await bench.recorded()).via.clientCertificates).toHaveLength(2);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'ends the connection of a client whose certificate the next one has not signed, over %s',
    async (maxVersion) => {
      const { listener } = await open();
      const { certificate, key } = CERTIFICATES.device;
      const socket = bench.beginTls(listener, {
        cert: `${certificate}${CERTIFICATES.ca.certificate}`,
        key,
        maxVersion,
      });
      await closed(socket);
      expect(bench.counts.get('tls.clientCertificate.refused')).toBe(1);
      expect(listener.connections).toBe(0);
      await bench.connectTls(listener, { ...DEVICE, maxVersion });
      expect((await bench.recorded()).via.clientCertificates).toHaveLength(2);
    },
  );

  it('accepts a client certificate of anybody unless authorities are configured', async () => {
    const { listener } = await open();
    await bench.connectTls(listener, STRANGER);
    const { via } = await bench.recorded();
    expect(via.clientCertificates).toHaveLength(1);
    expect(via.clientCertificates?.[0]?.commonName).toBe('stranger');
  });

  it('refuses a client certificate of another authority in the handshake, and accepts none (B12)', async () => {
    const { listener } = await open({
      material: material('server', `${CERTIFICATES.ca.certificate}${CERTIFICATES.intermediate.certificate}`),
    });
    await bench.connectTls(listener, DEVICE);
    expect((await bench.recorded()).via.clientCertificates).toHaveLength(3);
    await bench.connectTls(listener);
    expect((await bench.recorded()).via.clientCertificates).toBeNull();
    await closed(bench.beginTls(listener, STRANGER));
    expect(bench.counts.get('tls.clientCertificate.refused')).toBe(1);
  });

  it('refuses renegotiation (B12)', async () => {
    const { listener } = await open();
    const socket = await bench.connectTls(listener, { maxVersion: 'TLSv1.2' });
    await bench.recorded();
    const error = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve);
      socket.renegotiate({}, (failure) => resolve(failure));
    });
    expect(error).toMatchObject({ code: expect.stringContaining('NO_RENEGOTIATION') });
  });

  it('passes the server name on, and null without one; a pinned one pins the dialect (REC-3)', async () => {
    const { listener } = await open({}, [['tb.example.org', 'thingsboard']]);
    const check = { checkServerIdentity: () => undefined };
    await bench.connectTls(listener, { ...check, servername: 'TB.Example.org' });
    expect((await bench.accepted()).via).toMatchObject({
      serverName: expect.stringMatching(/^tb\.example\.org$/i),
      pinnedDialect: 'thingsboard',
    });
    await bench.connectTls(listener, { ...check, servername: 'other.example.org' });
    expect((await bench.accepted()).via).toMatchObject({ serverName: 'other.example.org', pinnedDialect: null });
    await bench.connectTls(listener, { ...check, servername: '' });
    expect((await bench.accepted()).via).toMatchObject({ serverName: null, pinnedDialect: null });
  });

  it('lets the pin of the listener go before the pin of the server name (REC-3)', async () => {
    const tls = await bench.tls();
    const pinnedServerNames = new Map([['localhost', 'thingsboard']]);
    const options = { ...bench.options, tls, pinnedServerNames, pinnedDialect: 'plain' };
    const listener = await bench.listen(createTlsListener(options));
    await bench.connectTls(listener);
    expect((await bench.accepted()).via.pinnedDialect).toBe('plain');
  });

  it('takes a new certificate for new connections, keeps the old one when the new one is broken', async () => {
    const { listener, tls } = await open();
    const subject = async (): Promise<string> => {
      const socket = await bench.connectTls(listener);
      return String(socket.getPeerCertificate().subject.CN);
    };
    const before = await bench.connectTls(listener);
    const { seen } = await bench.recorded();
    expect(await subject()).toBe('localhost');
    expect(() => tls.reload({ ...material('renewed'), key: 'broken' })).toThrow();
    expect(() => tls.reload({ ...material('renewed'), key: CERTIFICATES.server.key })).toThrow();
    expect(await subject()).toBe('localhost');
    tls.reload(material('renewed'));
    expect(await subject()).toBe('localhost renewed');
    before.write('still here');
    await seen.gotBytes(10);
  });

  it('takes pre-shared keys of TLS 1.2 beside certificates', async () => {
    const key = Buffer.alloc(16, 7);
    const asked: string[] = [];
    const { listener } = await open({
      psk: (identity) => {
        asked.push(identity);
        return identity === 'modem-1' ? key : null;
      },
    });
    const psk = (identity: string, secret: Buffer) => ({
      ciphers: 'PSK-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2' as const,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: secret, identity }),
    });
    const socket = await bench.connectTls(listener, psk('modem-1', key));
    expect(socket.getCipher().name).toBe('PSK-AES128-GCM-SHA256');
    const { seen } = await bench.recorded();
    socket.write('hello');
    await seen.gotBytes(5);
    await closed(bench.beginTls(listener, psk('modem-2', key)));
    await closed(bench.beginTls(listener, psk('modem-1', Buffer.alloc(16, 8))));
    expect(asked).toEqual(['modem-1', 'modem-2', 'modem-1']);
    await bench.connectTls(listener);
    await bench.recorded();
    expect(bench.counts.get('tls.handshake.failed')).toBe(2);
  });

  it('closes a connection that says nothing, or begins a handshake and goes silent, after the limit', async () => {
    const { listener } = await open();
    const silent = await bench.connect(listener);
    await turns(5);
    bench.expire();
    await closed(silent);
    expect(bench.counts.get('listener.firstByte.timeout')).toBe(1);
    const begun = await bench.connect(listener);
    begun.write(Uint8Array.of(0x16, 3, 1));
    while (bench.limits.size === 0) await turns(1);
    await turns(10);
    bench.expire();
    await closed(begun);
    expect(bench.counts.get('tls.handshake.failed')).toBe(1);
    expect(listener.connections).toBe(0);
    expect(bench.limits.size).toBe(0);
  });

  it('closes what is no TLS, and counts it', async () => {
    const { listener } = await open();
    const socket = await bench.connect(listener);
    socket.write(Uint8Array.of(0x10, 0));
    await closed(socket);
    expect(bench.counts.get('listener.firstByte.unknown')).toBe(1);
  });

  it('lets handshakes above the bound wait for their turn', async () => {
    const { listener, tls } = await open({ maxHandshakes: 1 });
    const stalled = await bench.connect(listener);
    stalled.write(Uint8Array.of(0x16));
    while (tls.handshakes.underWay === 0) await turns(1);
    const second = bench.beginTls(listener);
    const third = bench.beginTls(listener);
    while (tls.handshakes.waiting < 2) await turns(1);
    expect(tls.handshakes).toEqual({ underWay: 1, waiting: 2 });
    stalled.destroy();
    await bench.accepted();
    await bench.accepted();
    expect(tls.handshakes).toEqual({ underWay: 0, waiting: 0 });
    expect([second.authorized, third.authorized]).toEqual([true, true]);
  });
});

describe.each([{ ordinary: false }, { ordinary: true }])(
  'plain port with a certificate (ordinary: $ordinary)',
  (kind) => {
    async function openEither() {
      const tls = await bench.tls();
      return bench.listen(createTcpListener({ ...bench.options, tls, ...kind }));
    }

    it('takes CONNECT and a ClientHello on one port (REC-38)', async () => {
      const listener = await openEither();
      const plain = await bench.connect(listener);
      plain.write(Uint8Array.of(0x10, 1, 2, 3));
      const first = await bench.recorded();
      expect(first.via.transport).toBe('tcp');
      plain.write(Uint8Array.of(4, 5));
      await first.seen.gotBytes(6);
      expect([...first.seen.bytes()]).toEqual([0x10, 1, 2, 3, 4, 5]);
      const secure = await bench.connectTls(listener);
      const second = await bench.recorded();
      expect(second.via).toMatchObject({ transport: 'tls', serverName: 'localhost' });
      secure.write('over TLS');
      await second.seen.gotBytes(8);
      expect(second.seen.bytes().toString()).toBe('over TLS');
      expect(listener.connections).toBe(2);
      first.stream.destroy();
      second.stream.end();
      await Promise.all([closed(plain), closed(secure)]);
      await turns(5);
      expect(listener.connections).toBe(0);
    });

    it('closes any other first byte and a silent connection (REC-38)', async () => {
      const listener = await openEither();
      for (const byte of [0x00, 0x47, 0x20, 0xff]) {
        const socket = await bench.connect(listener);
        socket.write(Uint8Array.of(byte));
        await closed(socket);
      }
      expect(bench.counts.get('listener.firstByte.unknown')).toBe(4);
      const silent = await bench.connect(listener);
      while (bench.limits.size === 0) await turns(1);
      bench.expire();
      await closed(silent);
      await turns(5);
      expect(listener.connections).toBe(0);
    });

    it('holds its output back and tells drain like a port without certificate', async () => {
      const listener = await openEither();
      const socket = await bench.connect(listener);
      socket.write(Uint8Array.of(0x10));
      const { stream, seen } = await bench.recorded();
      socket.pause();
      await fill(stream);
      const drained = seen.drained();
      socket.resume();
      await drained;
      expect(stream.writableLength).toBe(0);
    });
  },
);

it('listens on IPv6', async () => {
  const tls = await bench.tls();
  const listener = await bench.listen(createTlsListener({ ...bench.options, host: '::1', tls }));
  await bench.connectTls(listener, { host: '::1' });
  expect((await bench.accepted()).via.remoteAddress).toBe('::1');
});
