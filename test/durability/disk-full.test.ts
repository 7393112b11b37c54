import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PacketType, ReasonCode } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';

const mountPoint = mkdtempSync(join(tmpdir(), 'moorage-full-'));
const filler = join(mountPoint, 'filler');
let server: MoorageProcess;

beforeAll(async () => {
  // A small disk of its own; mounting needs root, and the error of mount says so.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', mountPoint]);
  server = new MoorageProcess({ dataDir: join(mountPoint, 'data'), env: { MOORAGE_STORAGE__BALLAST_MIB: '4' } });
  await server.start();
});

afterAll(async () => {
  await server?.dispose();
  execFileSync('umount', [mountPoint]);
  rmSync(mountPoint, { recursive: true });
});

it('F3 a full disk: 5.0 gets 0x97, 3.x is not acknowledged, reads work, and it recovers without restart', {
  timeout: 120_000,
}, async () => {
  const api = new ApiClient(server);
  await api.login();
  const id = await api.createDevice('full', 'FULLTOKEN00000000001');
  const other = await api.createDevice('older', 'FULLTOKEN00000000002');
  const client = await RawClient.open(server.mqttPort, 5);
  expect(await client.connect({ username: 'FULLTOKEN00000000001' })).toBe(0);
  let number = 0;
  const acknowledged: number[] = [];
  /** Publishes one point of about `size` bytes; resolves with the Reason Code. */
  const publish = async (size: number): Promise<number | undefined> => {
    const identifier = (++number % 65_535) + 1;
    const payload = `{"ts":${number * 1000},"values":{"number":${number},"text":"${'x'.repeat(size)}"}}`;
    client.write(client.publishPacket('v1/devices/me/telemetry', payload, 1, identifier));
    const code = (await client.next(PacketType.Puback))?.reasonCode;
    if (code === 0) acknowledged.push(number);
    return code;
  };
  for (let index = 0; index < 50; index++) expect(await publish(100)).toBe(0);

  // Somebody else fills the disk to the last block.
  const block = Buffer.alloc(256 * 1024, 1);
  let size = 0;
  try {
    for (;;) {
      writeFileSync(filler, block, { flag: 'a' });
      size += block.length;
    }
  } catch {
    expect(size).toBeGreaterThan(0);
  }
  let refused: number | undefined;
  for (let index = 0; index < 2000 && refused === undefined; index++) {
    const code = await publish(20_000);
    if (code !== 0) refused = code;
  }
  expect(refused).toBe(ReasonCode.QuotaExceeded);

  const older = await RawClient.open(server.mqttPort, 4);
  expect(await older.connect({ username: 'FULLTOKEN00000000002' })).toBe(0);
  older.write(older.publishPacket('v1/devices/me/telemetry', '{"a":1}', 1, 1));
  expect(await publish(20_000)).toBe(ReasonCode.QuotaExceeded);
  expect(older.packets.filter((packet) => packet.type === PacketType.Puback)).toEqual([]);
  expect(await api.latest(other)).toEqual({});
  const read = await api.call(
    'GET',
    `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=number&startTs=0&endTs=60000&limit=100`,
  );
  expect(read.status).toBe(200);
  expect(read.body.number.length).toBe(50);
  const written = await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`, {
    a: 'x'.repeat(20_000),
  });
  expect(written.status).toBe(507);

  rmSync(filler);
  let recovered = false;
  const deadline = Date.now() + 30_000;
  while (!recovered && Date.now() < deadline) recovered = (await publish(100)) === 0;
  expect(recovered).toBe(true);

  const all = await api.call(
    'GET',
    `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=number&startTs=0&endTs=1900000000000&limit=1000000&orderBy=ASC&useStrictDataTypes=true`,
  );
  const stored = new Set(all.body.number.map((point: { value: number }) => point.value));
  expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
  client.close();
  older.close();
});
