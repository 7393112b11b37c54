import { topicMatches } from '@moorage/mqtt-codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Publication } from './publication.ts';
import type { Session } from './session.ts';
import { RouteClock, Space } from './space.ts';
import { Subscription } from './subscription.ts';

const OPTIONS = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** The tree only compares Sessions; a bare object stands for one. */
function session(): Session {
  return {} as Session;
}

function subscription(owner: Session, topicFilter: string): Subscription {
  return new Subscription(owner, {
    topicFilter,
    options: OPTIONS,
    grantedQoS: 0,
    subscriptionIdentifier: 0,
    enter: [topicFilter],
  });
}

const level = fc.constantFrom('', 'a', 'b', 'c', '$s');
const name = fc.array(level, { minLength: 1, maxLength: 7 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 6 }), fc.boolean(), level)
  .map(([levels, rest, last]) => [...levels, rest ? '#' : last].join('/'));
type Step =
  | { readonly kind: 'add'; readonly who: number; readonly filter: string }
  | { readonly kind: 'remove'; readonly which: number }
  | { readonly kind: 'route'; readonly name: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), who: fc.nat(4), filter }),
  fc.record({ kind: fc.constant('remove' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('route' as const), name: name.filter((one) => one.length > 0) }),
);

describe('Space', () => {
  it('routes as matching every filter one by one does, whatever changes in between [MQTT-4.7.2-1] [MQTT-4.7.3-4] [U-25]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (steps, entries) => {
        const space = new Space('s', new RouteClock(entries));
        const sessions = [session(), session(), session(), session(), session()];
        const held: Subscription[] = [];
        for (const one of steps) {
          if (one.kind === 'add') {
            if (one.filter.length === 0) continue;
            const added = subscription(sessions[one.who] as Session, one.filter);
            held.push(added);
            space.add(one.filter, added);
          } else if (one.kind === 'remove') {
            const [removed] = held.splice(one.which, 1);
            if (removed !== undefined) space.remove(removed.topicFilter, removed);
          } else {
            const expected = new Set<Session>();
            for (const one2 of held) if (topicMatches(one2.topicFilter, one.name)) expected.add(one2.session);
            const found = space.route(one.name).targets.map((target) => target.session);
            expect(new Set(found)).toEqual(expected);
            expect(found.length).toBe(expected.size);
          }
        }
        for (const one of held) space.remove(one.topicFilter, one);
        expect(space.empty).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps cached routes that a changed filter cannot touch', () => {
    const space = new Space('s', new RouteClock(100));
    const owner = session();
    const kept = space.route('a/b/c');
    space.add('x/+/c', subscription(owner, 'x/+/c'));
    space.add('a/b/d', subscription(owner, 'a/b/d'));
    expect(space.route('a/b/c')).toBe(kept);
    space.add('a/+/c', subscription(owner, 'a/+/c'));
    expect(space.route('a/b/c')).not.toBe(kept);
    expect(space.route('a/b/c').targets).toHaveLength(1);
  });

  it('tells an empty first level from none', () => {
    const space = new Space('s', new RouteClock(100));
    const owner = session();
    const kept = space.route('a/b');
    expect(space.route('/a/b').targets).toHaveLength(0);
    space.add('/a/+', subscription(owner, '/a/+'));
    expect(space.route('a/b')).toBe(kept);
    expect(space.route('/a/b').targets).toHaveLength(1);
  });

  it('never remembers more routes than the cache has entries', () => {
    const clock = new RouteClock(50);
    const one = new Space('one', clock);
    const two = new Space('two', clock);
    for (let index = 0; index < 500; index++) (index % 2 === 0 ? one : two).route(`t/${index}`);
    expect(clock.size).toBe(50);
    one.clear();
    two.clear();
    expect(clock.size).toBe(0);
  });

  it('takes turns among the members of a shared group', () => {
    const space = new Space('s', new RouteClock(10));
    const outbox = { fits: () => true };
    const members = [0, 1, 2].map(
      () => ({ hasRoom: true, connection: {}, persistent: false, outbox }) as unknown as Session,
    );
    const message = { topicName: 't', payload: new Uint8Array(0), qos: 0, retain: false, properties: null } as const;
    for (const member of members) space.add('$share/g/t', subscription(member, '$share/g/t'));
    const group = space.route('t').groups[0];
    const chosen = [0, 1, 2, 3, 4, 5].map(() =>
      members.indexOf(group?.choose(0, null, Publication.of(message, 0))?.session as Session),
    );
    expect(chosen).toEqual([0, 1, 2, 0, 1, 2]);
  });
});
