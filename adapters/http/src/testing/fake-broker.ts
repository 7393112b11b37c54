import { refuse, success } from '@moorage/core';
import type {
  BrokerDesk,
  BrokerDevice,
  BrokerPage,
  BrokerQuery,
  BrokerTarget,
  ListedBan,
  ListedPacket,
  ListedRetained,
  ListedSession,
  ListedSubscription,
  ListedTrace,
  RawMessage,
  RawOutcome,
} from '../broker-desk.ts';

export interface FakeBroker {
  readonly desk: BrokerDesk;
  /** What the desk was asked, with the tenant it was asked for. */
  readonly calls: { readonly call: string; readonly tenantId: string; readonly with: unknown }[];
  readonly published: { readonly device: BrokerDevice; readonly message: RawMessage }[];
  readonly sessions: ListedSession[];
  readonly subscriptions: ListedSubscription[];
  readonly retained: ListedRetained[];
  readonly bans: ListedBan[];
  readonly traces: ListedTrace[];
  readonly packets: ListedPacket[];
  outcome: RawOutcome;
}

function pageOf<T>(all: readonly T[], { pageSize, page }: Omit<BrokerQuery, 'textSearch'>): BrokerPage<T> {
  const from = pageSize * page;
  return {
    data: all.slice(from, from + pageSize),
    totalPages: Math.ceil(all.length / pageSize),
    totalElements: all.length,
    hasNext: from + pageSize < all.length,
    complete: true,
  };
}

/** A desk that answers with what a test has put into it. */
export function fakeBroker(): FakeBroker {
  const calls: FakeBroker['calls'] = [];
  const note = (call: string, tenantId: string, given: unknown) => void calls.push({ call, tenantId, with: given });
  const known = (target: BrokerTarget) => 'device' in target || target.clientId === 'known';
  const fake: FakeBroker = {
    calls,
    published: [],
    sessions: [],
    subscriptions: [],
    retained: [],
    bans: [],
    traces: [],
    packets: [],
    outcome: { kind: 'published', qos: 0, sessions: 0 },
    desk: {
      async sessions(tenantId, query) {
        note('sessions', tenantId, query);
        return success(pageOf(fake.sessions, query));
      },
      async subscriptions(tenantId, query) {
        note('subscriptions', tenantId, query);
        return success(pageOf(fake.subscriptions, query));
      },
      async retained(tenantId, topicFilter, query) {
        note('retained', tenantId, { topicFilter, ...query });
        return success(pageOf(fake.retained, query));
      },
      async startTrace(tenantId, target, durationMs) {
        note('startTrace', tenantId, { target, durationMs });
        const [trace] = fake.traces;
        return known(target) && trace !== undefined ? success(trace) : refuse('notFound', 'nobody');
      },
      traces(tenantId) {
        note('traces', tenantId, null);
        return fake.traces;
      },
      trace(tenantId, id, query) {
        note('trace', tenantId, query);
        const trace = fake.traces.find((one) => one.id === id);
        return trace === undefined ? refuse('notFound') : success({ trace, packets: pageOf(fake.packets, query) });
      },
      removeTrace(tenantId, id) {
        note('removeTrace', tenantId, id);
        return fake.traces.some((one) => one.id === id) ? success(null) : refuse('notFound');
      },
      async ban(tenantId, target, durationMs) {
        note('ban', tenantId, { target, durationMs });
        return known(target) ? success(fake.bans) : refuse('notFound', 'nobody');
      },
      bans(tenantId, query) {
        note('bans', tenantId, query);
        return pageOf(fake.bans, query);
      },
      liftBan(tenantId, id) {
        note('liftBan', tenantId, id);
        return fake.bans.some((one) => one.id === id) ? success(null) : refuse('notFound');
      },
      async publish(device, message) {
        fake.published.push({ device, message });
        return fake.outcome;
      },
    },
  };
  return fake;
}
