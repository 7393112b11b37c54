import type { DeviceIntent, DeviceRef, EntityId, Intent } from '@moorage/core';
import {
  type DeviceCommand,
  type DeviceLink,
  type DeviceReply,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  encodeText,
  NOTHING,
  type OutboundMessage,
  perform,
  performAndTell,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { AlinkCode, alinkMessage, outcomeCode } from './codes.ts';
import { type LinkDirectory, readIdentity, readSignedIdentity } from './directory.ts';
import { readRequest, writeReply } from './envelope.ts';
import { elementsOf, type JsonTexts, type Members } from './json-text.ts';
import { decodePending, encodePending, type PendingReply } from './pending-reply.ts';
import { PostedPoints } from './points.ts';
import type { AlibabaSession } from './session.ts';
import type { LinkIdentity } from './signature.ts';
import { ownerOfDownlink, parseUplink } from './topics.ts';
import { RELATION_REQUEST } from './topology.ts';

/** Section 2.6 */
const MAXIMUM_SUB_DEVICES = 2000;
const MAXIMUM_BATCH = 50;
const MAXIMUM_MEMBERS = 16;
/** Followed by the names of the gateway. Section 6 */
const SESSION_ERROR = '/ext/error/';
/** Answers to what the gateway is told of devices that are not logged in, or not any more. */
const NOTICE_REPLIES = ['thing/disable_reply', 'thing/enable_reply', 'thing/delete_reply'];
/** Filters that are kept for devices which are not logged in yet. */
const MAXIMUM_FILTERS = 10_000;

type ReadForOthers = (posted: PostedPoints, params: string | undefined, self: LinkIdentity) => void;

/** Posts of a gateway that name the devices behind it. Section 4.4 */
const POSTS_FOR_OTHERS: ReadonlyMap<string, ReadForOthers> = new Map<string, ReadForOthers>([
  ['thing/event/property/history/post', (posted, params, self) => posted.history(params, self)],
  ['thing/event/property/pack/post', (posted, params) => posted.pack(params)],
]);

/** A device that is logged in through the gateway, or about to be. */
interface SubDevice {
  readonly identity: LinkIdentity;
  readonly deviceId: EntityId;
  /** As the platform calls it. */
  readonly name: string;
  readonly session: AlibabaSession;
  /** It is behind this gateway for sure. */
  isIn: boolean;
}

/** A log-in of one or more devices of which not all are decided. */
interface LogIn {
  readonly pending: PendingReply;
  readonly subDevices: readonly SubDevice[];
  readonly isBatch: boolean;
  left: number;
  code: AlinkCode;
}

/** What sessions of gateways share. */
export interface GatewayTools {
  readonly directory: LinkDirectory;
  readonly texts: JsonTexts;
  /** A session for a device behind the gateway. */
  readonly open: (link: DeviceLink, device: DeviceRef, identity: LinkIdentity) => AlibabaSession;
}

/** Who a gateway is, and how it is connected. */
export interface GatewayConnection {
  readonly device: DeviceRef;
  readonly identity: LinkIdentity;
  readonly link: DeviceLink;
  /** Secrets may be told over it. */
  readonly isConfidential: boolean;
}

/** A gateway and the devices behind it: each has a session of its own on the one connection. Section 6 */
export class GatewaySession implements DialectSession {
  readonly #own: AlibabaSession;
  readonly #tools: GatewayTools;
  readonly #gateway: DeviceRef;
  readonly #identity: LinkIdentity;
  readonly #connection: GatewayConnection;
  readonly #byName = new Map<string, SubDevice>();
  /** With the QoS, so that they hold for devices that log in later. */
  readonly #filters = new Map<string, SubscriptionOptions>();
  readonly #logIns = new Map<string, LogIn>();
  #nextLogIn = 0;
  /** Devices that are gone, of which the platform is told with the next message. */
  #leaving: string[] = [];

  constructor(own: AlibabaSession, connection: GatewayConnection, tools: GatewayTools) {
    this.#own = own;
    this.#connection = connection;
    this.#gateway = connection.device;
    this.#identity = connection.identity;
    this.#tools = tools;
  }

  get openingIntents(): readonly DeviceIntent[] {
    return this.#own.openingIntents;
  }

  get listensAtOnce(): boolean {
    return this.#own.listensAtOnce;
  }

  deviceChanged(device: DeviceRef): void {
    this.#own.deviceChanged(device);
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    if (this.#filters.size < MAXIMUM_FILTERS) this.#filters.set(topicFilter, options);
    let decision = this.#own.subscribe(topicFilter, options);
    for (const { session, identity } of this.#byName.values()) {
      if (!mayConcern(topicFilter, identity)) continue;
      const other = session.subscribe(topicFilter, options);
      if (other.reasonCode >= 0x80) continue;
      decision = { reasonCode: other.reasonCode, enter: [...new Set([...decision.enter, ...other.enter])] };
    }
    return decision;
  }

  unsubscribe(topicFilter: string): number | null {
    this.#filters.delete(topicFilter);
    let result = this.#own.unsubscribe(topicFilter);
    for (const { session, identity } of this.#byName.values()) {
      if (!mayConcern(topicFilter, identity)) continue;
      const other = session.unsubscribe(topicFilter);
      if (other === 0) result = other;
    }
    return result;
  }

  publish(message: DialectMessage): Disposition {
    const disposition = this.#publish(message);
    if (this.#leaving.length === 0) return disposition;
    const left = this.#leaving.map((name): Intent => ({ kind: 'subDeviceLeft', name }));
    this.#leaving = [];
    return { ...disposition, intents: [...left, ...disposition.intents] };
  }

  #publish(message: DialectMessage): Disposition {
    const uplink = parseUplink(message.topicName);
    if (uplink.kind === 'rrpc') return this.#rrpc(uplink.topic, message);
    if (uplink.kind === 'unknown') return this.#own.publish(message);
    const { owner } = uplink;
    if (isSame(owner, this.#identity)) {
      if (uplink.kind === 'session') return this.#conversation(uplink.action, message);
      return uplink.kind === 'system' ? this.#system(uplink.suffix, message) : this.#own.publish(message);
    }
    const known = this.#byName.get(nameOf(owner));
    const device = this.#tools.directory.device(owner);
    // The name of a device that is not of this dialect at all is refused as any other topic.
    if (known === undefined && device === null) return this.#own.publish(message);
    if (known?.isIn === true && known.deviceId === device?.id) {
      return this.#as(known, known.session.publish(message));
    }
    if (uplink.kind === 'system' && NOTICE_REPLIES.includes(uplink.suffix)) return NOTHING;
    // The device was deleted; another may have its names now.
    if (known?.isIn === true) this.#drop(known);
    return this.#notLoggedIn(owner, message, known?.isIn === true ? AlinkCode.CutOff : AlinkCode.NoSubDevice);
  }

  #system(suffix: string, message: DialectMessage): Disposition {
    if (suffix === 'thing/sub/register' && !this.#connection.isConfidential) return this.#tellsNoSecrets(message);
    const read = POSTS_FOR_OTHERS.get(suffix);
    return read === undefined ? this.#own.publish(message) : this.#postForOthers(read, message);
  }

  /** Values of the gateway and of devices that are logged in: all of them are stored, or none. Section 4.4 */
  #postForOthers(read: ReadForOthers, message: DialectMessage): Disposition {
    const request = readRequest(this.#tools.texts, message.payload);
    const pending = this.#owed(message, request?.id ?? '""', '');
    if (request === undefined) return this.#refuse(pending, AlinkCode.BadParameters);
    const posted = new PostedPoints(this.#tools.texts, message.receivedAt, (identity) => {
      return isSame(identity, this.#identity) || this.#byName.get(nameOf(identity))?.isIn === true;
    });
    read(posted, request.params, this.#identity);
    const own = posted.points();
    const intents: Intent[] = own.length === 0 ? [] : [{ kind: 'telemetry', points: own }];
    for (const [identity, points] of posted.ofOthers()) {
      const name = this.#byName.get(nameOf(identity))?.name;
      if (name !== undefined && points.length > 0)
        intents.push({ kind: 'subDevice', name, type: null, intents: [{ kind: 'telemetry', points }] });
    }
    if (posted.fault !== null) return this.#refuse(pending, posted.fault);
    return request.wantsReply ? performAndTell(intents, encodePending(pending)) : perform(intents);
  }

  /** Section 1.7: TLS is expected where a secret is told. */
  #tellsNoSecrets(message: DialectMessage): Disposition {
    const id = readRequest(this.#tools.texts, message.payload)?.id ?? '""';
    return this.#refuse(this.#owed(message, id, 'register'), AlinkCode.RegistrationOff);
  }

  /** The topic behind the identifier says whose answer it is. */
  #rrpc(topic: string, message: DialectMessage): Disposition {
    const inner = parseUplink(topic);
    const owner = 'owner' in inner ? inner.owner : null;
    const known = owner === null ? undefined : this.#byName.get(nameOf(owner));
    return known?.isIn === true ? this.#as(known, known.session.publish(message)) : this.#own.publish(message);
  }

  /** What the device said, said by the gateway. */
  #as({ name }: SubDevice, disposition: Disposition): Disposition {
    if (disposition.intents.length === 0) return disposition;
    const intents = disposition.intents.filter(isOfDevice);
    return { ...disposition, intents: [{ kind: 'subDevice', name, type: null, intents }] };
  }

  /** Section 6: the gateway is told, and logs the device in again. */
  #notLoggedIn(owner: LinkIdentity, { payload }: DialectMessage, otherwise: AlinkCode): Disposition {
    const id = readRequest(this.#tools.texts, payload)?.id ?? '""';
    const code = this.#tools.directory.isEnabled(owner) ? otherwise : AlinkCode.SessionDisabled;
    return performAndTell([], encodePending(this.#sessionError(owner, id, code)));
  }

  /** What the gateway is told of the session of a device. `id` is JSON text. */
  #sessionError({ productKey, deviceName }: LinkIdentity, id: string, code: AlinkCode): PendingReply {
    const topicName = `${SESSION_ERROR}${this.#identity.productKey}/${this.#identity.deviceName}`;
    return { kind: 'gateway', topicName, qos: 1, id, code, detail: JSON.stringify({ productKey, deviceName }) };
  }

  /** `/ext/session/{productKey}/{deviceName}/combine/{action}` */
  #conversation(action: string, message: DialectMessage): Disposition {
    const { texts } = this.#tools;
    const request = readRequest(texts, message.payload);
    const pending = this.#owed(message, request?.id ?? '""', action);
    const params = texts.members(request?.params, MAXIMUM_MEMBERS);
    switch (action) {
      case 'login':
        return this.#logIn(pending, [params], false);
      case 'batch_login':
        return this.#logIn(pending, this.#list(params?.get('deviceList')), true);
      case 'logout':
        return this.#logOut(pending, [params], false);
      case 'batch_logout':
        return this.#logOut(pending, this.#list(request?.params), true);
      default:
        return this.#own.publish(message);
    }
  }

  #list(text: string | undefined): readonly (Members | undefined)[] {
    const elements = elementsOf(text, MAXIMUM_BATCH) ?? [];
    return elements.map((element) => this.#tools.texts.members(element, MAXIMUM_MEMBERS));
  }

  #owed({ topicName, qos }: DialectMessage, id: string, action: string): PendingReply {
    const code = AlinkCode.Success;
    return { kind: 'gateway', topicName: `${topicName}_reply`, qos: qos === 0 ? 0 : 1, id, code, detail: action };
  }

  /** Signatures are checked here; whether the devices are behind this gateway is asked in their names. All or nothing. */
  #logIn(pending: PendingReply, entries: readonly (Members | undefined)[], isBatch: boolean): Disposition {
    const { directory } = this.#tools;
    const subDevices: SubDevice[] = [];
    for (const entry of entries) {
      const signed = readSignedIdentity(entry);
      if (signed === undefined) return this.#refuse(pending, AlinkCode.BadParameters);
      const device = directory.device(signed);
      if (device === null || device.tenantId !== this.#gateway.tenantId || device.id === this.#gateway.id) {
        return this.#refuse(pending, AlinkCode.UnknownDevice);
      }
      if (!directory.isSigned(signed)) return this.#refuse(pending, AlinkCode.BadSubDeviceSign);
      if (!directory.isEnabled(signed)) return this.#refuse(pending, AlinkCode.DeviceDisabled);
      const { productKey, deviceName } = signed;
      const identity = { productKey, deviceName };
      subDevices.push(this.#byName.get(nameOf(identity)) ?? this.#entered(device, identity));
    }
    if (subDevices.length === 0) return this.#refuse(pending, AlinkCode.BadParameters);
    const added = subDevices.filter(({ identity }) => !this.#byName.has(nameOf(identity)));
    if (this.#byName.size + added.length > MAXIMUM_SUB_DEVICES)
      return this.#refuse(pending, AlinkCode.TooManySubDevices);
    for (const subDevice of added) this.#byName.set(nameOf(subDevice.identity), subDevice);
    this.#nextLogIn++;
    const number = String(this.#nextLogIn);
    this.#logIns.set(number, { pending, subDevices, isBatch, left: subDevices.length, code: AlinkCode.Success });
    const params = JSON.stringify({ gatewayId: this.#gateway.id });
    const intents = subDevices.map(({ name }): Intent => {
      const ref = encodePending({ ...pending, detail: `asked ${number}` });
      return {
        kind: 'subDevice',
        name,
        type: null,
        intents: [{ kind: 'dialectRequest', request: RELATION_REQUEST, params, ref }],
        // What was signed proves that the device is here.
        exclusive: true,
      };
    });
    return { ...NOTHING, intents };
  }

  #entered(device: DeviceRef, identity: LinkIdentity): SubDevice {
    const session = this.#tools.open(this.#connection.link, device, identity);
    for (const [filter, options] of this.#filters) {
      if (mayConcern(filter, identity)) session.subscribe(filter, options);
    }
    return { identity, deviceId: device.id, name: device.name, session, isIn: false };
  }

  #logOut(pending: PendingReply, entries: readonly (Members | undefined)[], isBatch: boolean): Disposition {
    const identities = entries.map(readIdentity);
    if (identities.length === 0 || identities.includes(undefined))
      return this.#refuse(pending, AlinkCode.BadParameters);
    const known = identities.flatMap((identity) => (identity && this.#byName.get(nameOf(identity))) ?? []);
    if (known.length < identities.length) return this.#refuse(pending, AlinkCode.NoSubDevice);
    for (const subDevice of known) this.#drop(subDevice);
    return performAndTell([], encodePending({ ...pending, detail: `done ${dataOf(known, isBatch)}` }));
  }

  #drop({ identity, name }: SubDevice): void {
    this.#byName.delete(nameOf(identity));
    this.#leaving.push(name);
  }

  /** Section 6: the device is logged in through another gateway, was disabled, or was cut off. */
  subDeviceClosed(name: string, reasonCode: ReasonCode): readonly OutboundMessage[] {
    const subDevice = [...this.#byName.values()].find((one) => one.name === name);
    if (subDevice === undefined) return [];
    const { identity } = subDevice;
    this.#byName.delete(nameOf(identity));
    const ended = this.#tools.directory.isEnabled(identity) ? AlinkCode.CutOff : AlinkCode.SessionDisabled;
    const code = reasonCode === ReasonCode.SessionTakenOver ? AlinkCode.Displaced : ended;
    const pending = this.#sessionError(identity, '""', code);
    return this.#message(pending, errorPayload(pending));
  }

  /** Section 6 */
  subDeviceEnabled(device: DeviceRef, enabled: boolean): readonly OutboundMessage[] {
    const identity = this.#tools.directory.identityOf(device.id);
    if (identity === undefined) return [];
    const { session } = this.#byName.get(nameOf(identity)) ?? this.#entered(device, identity);
    return session.notice(enabled ? 'thing/enable' : 'thing/disable');
  }

  #refuse(pending: PendingReply, code: AlinkCode): Disposition {
    return performAndTell([], encodePending({ ...pending, code }));
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    return this.#own.command(command);
  }

  subDeviceCommand(
    name: string,
    command: DeviceCommand,
  ): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    for (const subDevice of this.#byName.values()) {
      if (subDevice.name === name && subDevice.isIn) return subDevice.session.command(command);
    }
    return 'notSubscribed';
  }

  reply(reply: DeviceReply): readonly OutboundMessage[] {
    const pending = decodePending(reply.ref);
    if (pending === undefined) return [];
    if (pending.kind === 'gateway') return this.#gatewayReply(pending, reply);
    const owner = ownerOfDownlink(pending.topicName);
    const known = owner === null ? undefined : this.#byName.get(nameOf(owner));
    return (known?.session ?? this.#own).reply(reply);
  }

  #gatewayReply(pending: PendingReply, reply: DeviceReply): readonly OutboundMessage[] {
    const { detail, id, topicName } = pending;
    const code = pending.code === AlinkCode.Success && reply.kind === 'outcome' ? outcomeCode(reply) : pending.code;
    const [word = '', rest = ''] = [detail.slice(0, detail.indexOf(' ')), detail.slice(detail.indexOf(' ') + 1)];
    if (reply.kind === 'dialect') return this.#decided(rest, this.#tools.texts.members(reply.payload, 8));
    if (topicName.startsWith(SESSION_ERROR)) return this.#message(pending, errorPayload(pending));
    return this.#message(pending, writeReply(id, code, methodOf(topicName), word === 'done' ? rest : '{}'));
  }

  /** One device of a log-in is decided; the answer follows with the last one. */
  #decided(number: string, answer: Members | undefined): readonly OutboundMessage[] {
    const logIn = this.#logIns.get(number);
    if (logIn === undefined) return [];
    if (answer?.get('code') !== String(AlinkCode.Success)) logIn.code = AlinkCode.NoRelation;
    logIn.left--;
    if (logIn.left > 0) return [];
    this.#logIns.delete(number);
    const { pending, subDevices, isBatch, code } = logIn;
    const present = subDevices.filter(({ identity }) => this.#byName.has(nameOf(identity)));
    for (const subDevice of present) {
      if (code !== AlinkCode.Success) {
        if (!subDevice.isIn) this.#drop(subDevice);
        continue;
      }
      subDevice.isIn = true;
    }
    const data = code === AlinkCode.Success ? dataOf(subDevices, isBatch) : '{}';
    return this.#message(pending, writeReply(pending.id, code, methodOf(pending.topicName), data));
  }

  #message({ topicName, qos: wanted }: PendingReply, payload: Uint8Array): readonly OutboundMessage[] {
    const qos = this.#own.qosFor(topicName, wanted);
    return qos === null ? [] : [{ topicName, payload, qos }];
  }

  mayReceive(topicName: string): boolean {
    if (this.#own.mayReceive(topicName)) return true;
    for (const { session, isIn } of this.#byName.values()) if (isIn && session.mayReceive(topicName)) return true;
    return false;
  }

  mayPublishWill(topicName: string): boolean {
    return this.#own.mayPublishWill(topicName);
  }
}

function errorPayload({ id, code, detail }: PendingReply): Uint8Array {
  return encodeText(`{"id":${id},"code":${code},"message":"${alinkMessage(code)}","data":${detail}}`);
}

function nameOf({ productKey, deviceName }: LinkIdentity): string {
  return `${deviceName}&${productKey}`;
}

/** False for the filters of other devices, of which a gateway has thousands. */
function mayConcern(filter: string, { deviceName }: LinkIdentity): boolean {
  return filter.includes(deviceName) || filter.includes('+') || filter.includes('#');
}

function isSame(a: LinkIdentity, b: LinkIdentity): boolean {
  return a.productKey === b.productKey && a.deviceName === b.deviceName;
}

function isOfDevice(intent: Intent): intent is DeviceIntent {
  return !['subDevice', 'subDeviceLeft', 'provision', 'rpcRequest'].includes(intent.kind);
}

function dataOf(subDevices: readonly SubDevice[], isBatch: boolean): string {
  const identities = subDevices.map(({ identity }) => identity);
  return JSON.stringify(isBatch ? identities : (identities[0] ?? {}));
}

/** `combine.login` of `/ext/session/{productKey}/{deviceName}/combine/login_reply`. */
function methodOf(topicName: string): string {
  const before = topicName.startsWith('/sys/') ? 4 : 5;
  return topicName
    .split('/')
    .slice(before)
    .join('.')
    .replace(/_reply$/, '');
}
