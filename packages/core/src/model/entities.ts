/** Lower-case UUID. */
export type EntityId = string;

/** The UUID that stands for "no customer". thingsboard-server.md, 0.2 */
export const NULL_ID: EntityId = '13814000-1dd2-11b2-8080-808080808080';

/** A vendor's protocol: `thingsboard`, `plain`, ... */
export type DialectId = string;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export type Authority = 'SYS_ADMIN' | 'TENANT_ADMIN' | 'CUSTOMER_USER';

export interface Tenant {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly name: string;
}

export interface User {
  readonly id: EntityId;
  readonly createdTime: number;
  /** NULL_ID for a system administrator. */
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  /** Lower case, unique on the server. */
  readonly email: string;
  readonly authority: Authority;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly enabled: boolean;
  /** Tokens issued before this moment are void. Epoch milliseconds. */
  readonly tokensValidFrom: number;
  readonly additionalInfo: JsonObject | null;
  readonly version: number;
}

/** Settings of the ThingsBoard transport of a profile. thingsboard-server.md, 2.4 */
export interface ProfileTransport {
  readonly type: string;
  readonly [key: string]: Json;
}

export interface DeviceProfile {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly name: string;
  readonly description: string | null;
  readonly isDefault: boolean;
  readonly transportType: string;
  readonly provisionType: string;
  readonly profileData: JsonObject;
  /** Unique on the server; null: devices cannot be provisioned into this profile. */
  readonly provisionDeviceKey: string | null;
  /** Packages for devices without one of their own. */
  readonly firmwareId: EntityId | null;
  readonly softwareId: EntityId | null;
  readonly version: number;
}

export interface Device {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  /** Unique in the tenant, 1 to 255 characters. */
  readonly name: string;
  readonly label: string | null;
  readonly deviceProfileId: EntityId;
  /** The profile's name. */
  readonly type: string;
  readonly dialect: DialectId;
  readonly deviceData: JsonObject;
  /** The device's own packages; they beat those of the profile. */
  readonly firmwareId: EntityId | null;
  readonly softwareId: EntityId | null;
  readonly additionalInfo: JsonObject | null;
  readonly version: number;
}

export type CredentialsType =
  | 'ACCESS_TOKEN'
  | 'MQTT_BASIC'
  | 'X509_CERTIFICATE'
  | 'PLAIN'
  | 'ALIBABA'
  | 'WAVESHARE'
  | 'THINGSCALE';

/** One record for each device. */
export interface DeviceCredentials {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly deviceId: EntityId;
  readonly credentialsType: CredentialsType;
  /** Unique on the server together with the type's own rules. thingsboard-server.md, 2.3; api-additions.md, 1 */
  readonly credentialsId: string;
  /** JSON text or PEM by type; null for ACCESS_TOKEN. */
  readonly credentialsValue: string | null;
  readonly version: number;
}

/** An identity that is not a device. api-additions.md, 2 */
export interface Application {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly name: string;
  readonly dialect: DialectId;
  readonly enabled: boolean;
  /** By dialect; holds secrets and never leaves in lists. */
  readonly credentials: JsonObject;
  readonly configuration: JsonObject;
  readonly version: number;
}
