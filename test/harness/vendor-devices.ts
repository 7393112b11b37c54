import type { ApiClient } from './api-client.ts';
import { createLinkDevice, createProduct, signed } from './link-devices.ts';

/** What a CONNECT shows of its sender. */
export interface Shown {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
}

/** One device or application of a dialect, and how it is refused where only another dialect is served. */
export interface VendorClient {
  readonly dialect: string;
  readonly connect: Shown;
  /** Return code of 3.1.1 and Reason Code of 5.0 for a stranger on a listener that is pinned to this dialect. */
  readonly refusal: readonly [number, number];
  /** The same for a stranger without user name. */
  readonly namelessRefusal: readonly [number, number];
}

/** The identities of every dialect that a test may need by name. */
export interface Vendors {
  readonly clients: readonly VendorClient[];
  readonly thingsboard: Shown;
  readonly alibaba: Shown;
  readonly sensoro: Shown;
  readonly thingscale: Shown;
  readonly waveshare: Shown;
  readonly plain: Shown;
}

/** Creates an application; answers it with its secrets. */
export async function createApplication(
  api: ApiClient,
  dialect: string,
  name: string,
  credentials: object = {},
  configuration: object = {},
): Promise<{ readonly id: string; readonly credentials: Readonly<Record<string, string>> }> {
  const answer = await api.call('POST', '/api/application', { name, dialect, credentials, configuration });
  if (answer.status !== 200) throw new Error(`application ${name}: ${answer.status} ${answer.text}`);
  return { id: answer.body.id.id, credentials: answer.body.credentials };
}

/** Creates a Waveshare device from its triple; answers the id of the entity. */
export async function createWaveshareDevice(
  api: ApiClient,
  name: string,
  clientId: string,
  topic: string | null = `1/37/${clientId}`,
  more: object = {},
): Promise<string> {
  const credentialsValue = JSON.stringify({
    clientId,
    pubTopic: topic === null ? null : `Pub/${topic}`,
    subTopic: topic === null ? null : `Sub/${topic}`,
    ...more,
  });
  const answer = await api.call('POST', '/api/device-with-credentials', {
    device: { name },
    credentials: { credentialsType: 'WAVESHARE', credentialsId: clientId, credentialsValue },
  });
  if (answer.status !== 200) throw new Error(`device ${name}: ${answer.status} ${answer.text}`);
  return answer.body.id.id;
}

/** One of each dialect; `prefix` keeps the names of several calls apart. */
export async function createVendors(api: ApiClient, prefix = 'v'): Promise<Vendors> {
  await api.createDevice(`${prefix} thermometer`, `${prefix}TOKEN000000000001`);
  const product = await createProduct(api, `${prefix} doors`);
  const link = await createLinkDevice(api, product, `${prefix}-door`);
  const sensoro = await createApplication(api, 'sensoro', `${prefix} dashboard`);
  const thingscale = await createApplication(api, 'thingscale', `${prefix} account`);
  const clientId = `${prefix}82b52f8b`;
  await createWaveshareDevice(api, `${prefix} relay`, clientId);
  await api.createPlainDevice(`${prefix} plain`, `${prefix}-user`, 'plain-password');
  const { appId = '', appSecret = '' } = sensoro.credentials;
  const { userId = '', deviceToken = '' } = thingscale.credentials;
  const { clientId: linkId, username, password } = signed(link);
  const of = {
    thingsboard: { clientId: `${prefix}-tb`, username: `${prefix}TOKEN000000000001` },
    alibaba: { clientId: linkId, username, password },
    sensoro: { clientId: `${appId}/${prefix}`, username: appId, password: appSecret },
    thingscale: { clientId: `${prefix}-ts`, username: userId, password: deviceToken },
    waveshare: { clientId },
    plain: { clientId: `${prefix}-plain`, username: `${prefix}-user`, password: 'plain-password' },
  };
  return {
    ...of,
    clients: [
      { dialect: 'thingsboard', connect: of.thingsboard, refusal: [5, 0x86], namelessRefusal: [2, 0x85] },
      { dialect: 'alibaba', connect: of.alibaba, refusal: [2, 0x85], namelessRefusal: [2, 0x85] },
      { dialect: 'sensoro', connect: of.sensoro, refusal: [5, 0x87], namelessRefusal: [5, 0x87] },
      { dialect: 'thingscale', connect: of.thingscale, refusal: [4, 0x86], namelessRefusal: [4, 0x86] },
      { dialect: 'waveshare', connect: of.waveshare, refusal: [2, 0x85], namelessRefusal: [2, 0x85] },
      { dialect: 'plain', connect: of.plain, refusal: [5, 0x86], namelessRefusal: [5, 0x87] },
    ],
  };
}
