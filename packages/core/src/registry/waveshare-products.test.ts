import { deviceInput, openTestRegistry, profileInput, succeeded, waveshareInput } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../model/entities.ts';

const input = (members: JsonObject, name = 'P') =>
  profileInput(name, {
    transportType: 'WAVESHARE',
    profileData: { transportConfiguration: { type: 'WAVESHARE', ...members } },
  });

async function saved(members: JsonObject) {
  const t = await openTestRegistry();
  const answer = await t.profiles.save(t.admin, input(members));
  const found = answer.ok ? (answer.value.profileData.transportConfiguration as JsonObject) : null;
  return { t, answer, found };
}

const identifiers = (found: JsonObject | null) =>
  ((found?.attributes ?? []) as readonly JsonObject[]).map(({ identifier, type, access }) => [
    identifier,
    type,
    access,
  ]);

describe('profiles that are products of Waveshare', () => {
  it('have a number, no attributes and room for 256 bytes where nothing is said', async () => {
    const { found } = await saved({});
    expect(found).toEqual({ type: 'WAVESHARE', n2: '1', attributes: [], downlinkMaxPacket: 256, holdLast: false });
  });

  it.each<[string, string, readonly string[], string, string]>([
    ['RELAY_6CH', '54', ['CH1', 'CH2', 'CH3', 'CH4', 'CH5', 'CH6', 'ALL'], 'bool', 'rw'],
    ['RELAY_8CH', '54', ['CH1', 'CH2', 'CH3', 'CH4', 'CH5', 'CH6', 'CH7', 'CH8', 'ALL'], 'bool', 'rw'],
    ['GNSS_TRACKER', '37', ['Latitude', 'Longitude', 'batteryLevel'], 'float', 'r'],
    ['SINGLE_LED', '37', ['builtIn'], 'bool', 'rw'],
    ['KEY', '37', ['key'], 'int', 'rw'],
  ])('%s is ready-made', async (product, n2, names, type, access) => {
    const { found } = await saved({ product });
    expect(found).toMatchObject({ product, n2, downlinkMaxPacket: 256, holdLast: false });
    expect(identifiers(found)).toEqual(names.map((name) => [name, type, access]));
  });

  it('keep what is given beside a ready-made product, and all of it when they are saved again', async () => {
    const attributes = [{ identifier: 'Red', type: 'int', minimum: 0, maximum: 255 }];
    const { t, answer, found } = await saved({ product: 'KEY', n2: '0498', attributes, holdLast: true });
    expect(found).toMatchObject({ n2: '0498', holdLast: true });
    expect(found?.attributes).toEqual([
      {
        identifier: 'Red',
        name: null,
        type: 'int',
        unit: null,
        minimum: 0,
        maximum: 255,
        step: null,
        values: null,
        access: 'rw',
      },
    ]);
    const { id, profileData } = succeeded(answer);
    const again = succeeded(
      await t.profiles.save(t.admin, profileInput('P', { id, transportType: 'WAVESHARE', profileData })),
    );
    expect(again.profileData).toEqual(profileData);
  });

  it('are the settings of their devices, also after a change and a restart', async () => {
    const { t, answer } = await saved({ product: 'SINGLE_LED' });
    const { id } = succeeded(answer);
    const device = deviceInput('led', { deviceProfileId: id });
    const saved1 = succeeded(await t.devices.saveWithCredentials(t.admin, device, waveshareInput({ clientId: 'x' })));
    expect(t.deviceRef(saved1.id)?.settings).toMatchObject({
      transportType: 'WAVESHARE',
      waveshare: {
        n2: '37',
        attributes: [{ identifier: 'builtIn', type: 'bool' }],
        downlinkMaxPacket: 256,
        holdLast: false,
      },
    });
    succeeded(await t.profiles.save(t.admin, { ...input({ downlinkMaxPacket: 1024, holdLast: true }), id }));
    expect(t.changed.map((changed) => changed.id)).toEqual([saved1.id]);
    const { repositories, crypto } = t;
    for (const registry of [t, await openTestRegistry({ repositories, crypto })]) {
      expect(registry.deviceRef(saved1.id)?.settings.waveshare).toEqual({
        n2: '1',
        attributes: [],
        downlinkMaxPacket: 1024,
        holdLast: true,
      });
    }
    succeeded(await t.profiles.save(t.admin, { ...input({ downlinkMaxPacket: 1024, holdLast: true }), id }));
    expect(t.changed).toHaveLength(1);
  });

  it('a device of another profile has none of it', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.saveWithCredentials(t.admin, deviceInput('d'), waveshareInput()));
    expect(t.deviceRef(id)?.settings.waveshare).toBeUndefined();
  });

  const attribute = (members: JsonObject): JsonObject => ({
    attributes: [{ identifier: 'a', type: 'int', ...members }],
  });
  it.each<[JsonObject, string]>([
    [{ n2: 37 }, 'n2 is not a text of 1 to 10 digits'],
    [{ n2: '12345678901' }, 'n2 is not a text of 1 to 10 digits'],
    [{ product: 'RELAY_7CH' }, 'product is not one of RELAY_6CH, RELAY_8CH, GNSS_TRACKER, SINGLE_LED, KEY'],
    [{ product: 7 }, 'product is not one of RELAY_6CH, RELAY_8CH, GNSS_TRACKER, SINGLE_LED, KEY'],
    [{ downlinkMaxPacket: 127 }, 'downlinkMaxPacket is not a whole number from 128 to 262144'],
    [{ downlinkMaxPacket: 262_145 }, 'downlinkMaxPacket is not a whole number from 128 to 262144'],
    [{ downlinkMaxPacket: '256' }, 'downlinkMaxPacket is not a whole number from 128 to 262144'],
    [{ holdLast: 1 }, 'holdLast is not a Boolean'],
    [{ attributes: {} }, 'attributes is not a list of at most 256 attributes'],
    [{ attributes: Array<Json>(257).fill({}) }, 'attributes is not a list of at most 256 attributes'],
    [{ attributes: [null] }, 'attributes[0] is not an object'],
    [
      attribute({ identifier: '1a' }),
      'attributes[0] has an identifier that is not a letter or _ and at most 63 further letters, digits and _',
    ],
    [attribute({ type: 'double' }), 'attributes[0] has a type that is not one of int, float, bool, string, enum, json'],
    [attribute({ name: 'n'.repeat(256) }), 'attributes[0] has a name that is no text of at most 255 characters'],
    [attribute({ unit: 5 }), 'attributes[0] has a unit that is no text of at most 255 characters'],
    [attribute({ minimum: '0' }), 'attributes[0] has a minimum that is no number'],
    [attribute({ minimum: 2, maximum: 1 }), 'attributes[0] has a minimum above its maximum'],
    [attribute({ step: 0 }), 'attributes[0] has a step that is not above 0'],
    [attribute({ access: 'w' }), 'attributes[0] has an access that is not r or rw'],
    [attribute({ values: [1] }), 'attributes[0] has values, which are for the type enum only'],
    [attribute({ type: 'enum' }), 'attributes[0] has no list of 1 to 256 values, as the type enum needs'],
    [attribute({ type: 'enum', values: [] }), 'attributes[0] has no list of 1 to 256 values, as the type enum needs'],
    [attribute({ type: 'enum', values: [true] }), 'attributes[0] has values that are no texts or numbers'],
    [
      {
        attributes: [
          { identifier: 'a', type: 'int' },
          { identifier: 'a', type: 'bool' },
        ],
      },
      'attributes[1] has the identifier of another one',
    ],
  ])('refuse %j', async (members, message) => {
    const { answer } = await saved(members);
    expect(answer).toEqual({
      ok: false,
      code: 'invalidArguments',
      message: `transportConfiguration: ${message}`,
    });
  });

  it('take the bounds, and enumerations of texts and numbers', async () => {
    for (const downlinkMaxPacket of [128, 262_144]) expect((await saved({ downlinkMaxPacket })).answer.ok).toBe(true);
    const { found } = await saved(attribute({ type: 'enum', values: ['on', 0], access: 'r', name: 'State' }));
    expect(found?.attributes).toMatchObject([{ values: ['on', 0], access: 'r', name: 'State' }]);
  });
});
