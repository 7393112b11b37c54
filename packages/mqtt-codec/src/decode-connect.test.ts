import { describe, expect, it } from 'vitest';
import { decodeConnect } from './decode-connect.ts';
import { FRAME_READY, FrameReader } from './frame-reader.ts';
import { DEFAULT_LIMITS, type DecodeLimits } from './limits.ts';
import { bytes, packet, readText, sized, u16 } from './vectors/wire.ts';

/** Decodes as a server does that does not know the level yet. */
function decodeFirst(whole: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS) {
  const reader = new FrameReader(65_536);
  reader.push(whole);
  expect(reader.next()).toBe(FRAME_READY);
  return decodeConnect(reader.buffer, reader.start, reader.bodyStart, reader.end, limits, readText);
}

describe('the first packet of a connection', () => {
  const five = bytes('MQTT', 5, 0x02, u16(60), 0, 'a');
  const four = bytes('MQTT', 4, 0x02, u16(60), 'a');

  it('is told 0x81 on 5.0 for a Remaining Length that is not the shortest, and accepted on 3.x [MQTT-1.5.5-1]', () => {
    expect(decodeFirst(bytes(0x10, 0x80 | five.length, 0, five))).toMatchObject({ reasonCode: 0x81, answerable: true });
    expect(decodeFirst(bytes(0x10, 0x80 | four.length, 0, four))).toMatchObject({ level: 4, clientId: 'a' });
  });

  it('is told 0x95 above the limit, after everything that is wrong with its form (mqtt.md, section 5)', () => {
    const limits = { ...DEFAULT_LIMITS, maximumPacketSize: 15 };
    expect(decodeFirst(packet(0x10, five), { ...limits, maximumPacketSize: 16 })).toMatchObject({ clientId: 'a' });
    expect(decodeFirst(packet(0x10, five), limits)).toMatchObject({ reasonCode: 0x95, answerable: true });
    expect(decodeFirst(packet(0x10, four, 0), limits)).toMatchObject({ reasonCode: 0x81, answerable: false });
    expect(decodeFirst(packet(0x10, bytes('MQTT', 5, 0x02, u16(60), 0, 'a\u0007')), limits)).toMatchObject({
      reasonCode: 0x95,
    });
  });

  it('keeps nothing of the buffer that it came in', () => {
    const whole = packet(0x10, 'MQTT', 4, 0xc6, u16(60), 'a', 'w', sized([1, 2]), 'user', sized([3, 4]));
    const connect = decodeFirst(whole);
    whole.fill(0xff);
    expect(connect).toMatchObject({
      will: { topicName: 'w', payload: Uint8Array.of(1, 2) },
      password: Uint8Array.of(3, 4),
    });
  });
});
