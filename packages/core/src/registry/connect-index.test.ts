import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { ConnectIndex } from './connect-index.ts';
import { namesOf } from './credentials/read-credentials.ts';
import { Registration } from './registration.ts';

interface Holder {
  readonly id: string;
  readonly dialect: string;
  readonly username: string | null;
  readonly clientId: string | null;
}

const isExclusive = (dialect: string) => dialect === 'exclusive';
const claims = (holder: Holder) => namesOf(holder, { dialect: holder.dialect, exclusive: isExclusive(holder.dialect) });

function registrationOf({ id, dialect, username, clientId }: Holder): Registration {
  const device = {
    id,
    tenantId: 't',
    name: `name of ${id}`,
    profileId: 'p',
    gateway: false,
    settings: DEFAULT_PROFILE_SETTINGS,
  };
  const parts = { credentialsType: 'MQTT_BASIC', application: null, customerId: NULL_ID, sealedValue: null } as const;
  return new Registration({ ...parts, device, dialect, username, clientId }, (sealed) => sealed);
}

/** The rule of recognition.md, section 1, spelled out over all holders. */
function isFree(holders: Iterable<Holder>, wanted: Holder): boolean {
  return [...holders].every((other) => {
    if (other.id === wanted.id) return true;
    const same =
      wanted.username === null
        ? other.username === null && wanted.clientId !== null && other.clientId === wanted.clientId
        : other.username === wanted.username;
    if (!same) return true;
    return other.dialect === wanted.dialect && !isExclusive(wanted.dialect) && other.clientId !== wanted.clientId;
  });
}

const holder = fc.record({
  id: fc.constantFrom('1', '2', '3', '4', '5'),
  dialect: fc.constantFrom('shared', 'other', 'exclusive'),
  username: fc.constantFrom('u', 'v', null),
  clientId: fc.constantFrom('c', 'd', null),
});

describe('the index of names', () => {
  it('REC-16 REC-17 REC-22 agrees with the rule over any order of saving and removing', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(holder, fc.constantFrom('save', 'save', 'remove')), { maxLength: 40 }), (steps) => {
        const index = new ConnectIndex();
        const model = new Map<string, Holder>();
        for (const [wanted, action] of steps) {
          if (action === 'remove') {
            index.remove(wanted.id);
            model.delete(wanted.id);
          } else {
            const reservation = index.reserve(claims(wanted), wanted.id, wanted.clientId);
            expect(reservation.ok).toBe(isFree(model.values(), wanted));
            if (!reservation.ok) continue;
            index.put(registrationOf(wanted));
            model.set(wanted.id, wanted);
            reservation.release();
          }
          const held = (list: 'username' | 'clientId', name: string) =>
            [...model.values()].filter((one) =>
              claims(one).some((claim) => claim.list === list && claim.name === name),
            );
          const ids = (found: readonly { readonly device: { readonly id: string } | null }[] | undefined) =>
            (found ?? []).map((one) => one.device?.id).sort();
          for (const name of ['u', 'v', 'c', 'd']) {
            expect(ids(index.byUsername(name)?.credentials)).toEqual(
              held('username', name)
                .map(({ id }) => id)
                .sort(),
            );
            expect(ids(index.byClientId(name)?.credentials)).toEqual(
              held('clientId', name)
                .map(({ id }) => id)
                .sort(),
            );
            expect(index.byUsername(name)?.dialect).toBe(held('username', name)[0]?.dialect);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('REC-21 holds a reserved name against others until it is released, and not against its own principal', () => {
    const index = new ConnectIndex();
    const first: Holder = { id: '1', dialect: 'shared', username: 'u', clientId: null };
    const reservation = index.reserve(claims(first), '1', null);
    const tryAs = (id: string, dialect: string, clientId: string | null) => {
      const wanted = { ...first, id, dialect, clientId };
      const result = index.reserve(claims(wanted), id, clientId);
      if (result.ok) result.release();
      return result.ok;
    };
    expect(tryAs('2', 'shared', null)).toBe(false);
    expect(tryAs('2', 'shared', 'c')).toBe(true);
    expect(tryAs('2', 'other', 'c')).toBe(false);
    expect(tryAs('1', 'other', null)).toBe(true);
    if (reservation.ok) reservation.release();
    expect(tryAs('2', 'other', null)).toBe(true);
    expect(index.byUsername('u')).toBeUndefined();
  });

  it('enters, replaces and removes fifty thousand devices of one user name in time', () => {
    const index = new ConnectIndex();
    const started = performance.now();
    const holders = Array.from({ length: 50_000 }, (_, number) =>
      registrationOf({ id: String(number), dialect: 'shared', username: 'fleet', clientId: `c${number}` }),
    );
    for (const one of holders) index.put(one);
    for (const one of holders) {
      if (one.device !== null) index.put(one.withDevice({ ...one.device, gateway: true }, NULL_ID));
    }
    expect(index.byUsername('fleet')?.credentials).toHaveLength(50_000);
    for (const one of holders) index.remove(one.principalId);
    expect(index.byUsername('fleet')).toBeUndefined();
    // Quadratic work would take minutes; the bound is generous for a loaded machine.
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
