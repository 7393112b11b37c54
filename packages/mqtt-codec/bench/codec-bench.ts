import mqttPacket from 'mqtt-packet';
import {
  DEFAULT_LIMITS,
  encodePacket,
  encodeText,
  FRAME_READY,
  FrameReader,
  PacketType,
  PublishFields,
  type PublishPacket,
  publishSize,
  type ReadText,
  readPublish,
  writePublish,
} from '../src/index.ts';

/** Million packets per second, medians of the rounds; the ratios are medians of the ratios of each round. */
export interface CodecBenchResult {
  readonly packetBytes: number;
  readonly rounds: number;
  readonly decodeMillionPerSecond: number;
  readonly decodeReferenceMillionPerSecond: number;
  readonly decodeRatio: number;
  readonly encodeMillionPerSecond: number;
  readonly encodeReferenceMillionPerSecond: number;
  readonly encodeRatio: number;
  /** encodePacket: as mqtt-packet, with a new buffer and the topic as a string for every packet. */
  readonly encodePacketMillionPerSecond: number;
  readonly encodePacketRatio: number;
}

const ROUNDS = 9;
const PACKETS_PER_CHUNK = 256;
const CHUNKS_PER_ROUND = 800;
const TOPIC = 'v1/devices/me/telemetry';
const PACKET_BYTES = 60;

/** What every Buffer has and its published types leave out. */
interface Utf8Sliceable {
  utf8Slice(start: number, end: number): string;
}
const { utf8Slice } = Buffer.prototype as unknown as Utf8Sliceable;
const readText: ReadText = (bytes, start, end) => utf8Slice.call(bytes, start, end);

/** Packets per second of one run, in millions. */
function rate(run: () => number): number {
  const start = performance.now();
  const packets = run();
  return packets / (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Compares decoding (FrameReader and readPublish) and encoding (writePublish) of a 60-byte QoS 1 PUBLISH of 3.1.1 with mqtt-packet, alternating in one run. */
export function runCodecBench(): CodecBenchResult {
  const topic = encodeText(TOPIC);
  const payload = new Uint8Array(PACKET_BYTES - publishSize(4, topic.length, 0, 1, 0)).fill(0x61);
  const chunk = Buffer.alloc(PACKET_BYTES * PACKETS_PER_CHUNK);
  for (let index = 0; index < PACKETS_PER_CHUNK; index++) {
    writePublish(chunk, index * PACKET_BYTES, 4, topic, payload, 1, false, false, index + 1, null);
  }

  const reader = new FrameReader(DEFAULT_LIMITS.maximumPacketSize);
  const fields = new PublishFields();
  let checksum = 0;
  const decode = () => {
    let packets = 0;
    for (let index = 0; index < CHUNKS_PER_ROUND; index++) {
      reader.push(chunk);
      while (reader.next() === FRAME_READY) {
        const { firstByte, buffer, bodyStart, end } = reader;
        if (readPublish(4, firstByte, buffer, bodyStart, end, DEFAULT_LIMITS, readText, fields) === null) packets++;
        checksum += fields.topicName.length + fields.packetIdentifier;
      }
    }
    return packets;
  };

  let referencePackets = 0;
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on('packet', (packet) => {
    referencePackets++;
    checksum += packet.messageId ?? 0;
  });
  const decodeReference = () => {
    referencePackets = 0;
    for (let index = 0; index < CHUNKS_PER_ROUND / 4; index++) parser.parse(chunk);
    return referencePackets;
  };

  const target = Buffer.alloc(PACKET_BYTES * PACKETS_PER_CHUNK);
  const encode = () => {
    for (let index = 0; index < CHUNKS_PER_ROUND; index++) {
      let offset = 0;
      for (let packet = 1; packet <= PACKETS_PER_CHUNK; packet++) {
        offset = writePublish(target, offset, 4, topic, payload, 1, false, false, packet, null);
      }
      checksum += offset;
    }
    return CHUNKS_PER_ROUND * PACKETS_PER_CHUNK;
  };

  const packet: PublishPacket = {
    type: PacketType.Publish,
    topicName: TOPIC,
    payload,
    qos: 1,
    dup: false,
    retain: false,
    packetIdentifier: 1,
    properties: null,
  };
  const encodeWhole = () => {
    const packets = (CHUNKS_PER_ROUND / 2) * PACKETS_PER_CHUNK;
    for (let index = 0; index < packets; index++) checksum += encodePacket(4, packet)?.length ?? 0;
    return packets;
  };

  const referencePayload = Buffer.from(payload);
  const encodeReference = () => {
    const packets = (CHUNKS_PER_ROUND / 4) * PACKETS_PER_CHUNK;
    for (let packet = 0; packet < packets; packet++) {
      checksum += mqttPacket.generate({
        cmd: 'publish',
        topic: TOPIC,
        payload: referencePayload,
        qos: 1,
        dup: false,
        retain: false,
        messageId: (packet & 0xfff) + 1,
      }).length;
    }
    return packets;
  };

  const runs = [decode, decodeReference, encode, encodeReference, encodeWhole] as const;
  for (const run of runs) run();
  const rates = runs.map((): number[] => []);
  for (let index = 0; index < ROUNDS; index++) {
    for (const [which, run] of runs.entries()) rates[which]?.push(rate(run));
  }
  const [decodes = [], decodeReferences = [], encodes = [], encodeReferences = [], wholeEncodes = []] = rates;
  const ratio = (own: readonly number[], reference: readonly number[]) =>
    round(median(own.map((value, index) => value / (reference[index] ?? Number.NaN))));
  if (checksum === 0) throw new RangeError('The benchmark read nothing.');
  return {
    packetBytes: PACKET_BYTES,
    rounds: ROUNDS,
    decodeMillionPerSecond: round(median(decodes)),
    decodeReferenceMillionPerSecond: round(median(decodeReferences)),
    decodeRatio: ratio(decodes, decodeReferences),
    encodeMillionPerSecond: round(median(encodes)),
    encodeReferenceMillionPerSecond: round(median(encodeReferences)),
    encodeRatio: ratio(encodes, encodeReferences),
    encodePacketMillionPerSecond: round(median(wholeEncodes)),
    encodePacketRatio: ratio(wholeEncodes, encodeReferences),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(runCodecBench())}\n`);
