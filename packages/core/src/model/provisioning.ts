import type { CredentialsType } from './entities.ts';

/** A request for an identity, as the device sent it; empty and null members are absent. thingsboard-device.md, 6.2 */
export interface ProvisionRequest {
  readonly deviceKey: string;
  readonly deviceSecret: string;
  /** null: a name is generated. Not trimmed yet. */
  readonly deviceName: string | null;
  readonly credentialsType: CredentialsType | null;
  readonly token: string | null;
  readonly clientId: string | null;
  readonly username: string | null;
  readonly password: string | null;
  /** PEM or its base64 body. */
  readonly certificate: string | null;
  readonly gateway: boolean;
}

/** The new or existing credentials of the device, or why there are none. */
export type ProvisionOutcome =
  | {
      readonly status: 'SUCCESS';
      readonly credentialsType: CredentialsType;
      /** Token, or certificate text; for MQTT_BASIC JSON text `{"clientId","userName","password"}`. */
      readonly credentialsValue: string;
    }
  /** Unknown key, wrong secret, or provisioning is switched off. */
  | { readonly status: 'NOT_FOUND' }
  | {
      readonly status: 'FAILURE';
      /** Plain English, for the log of the server; devices are told the vendor's fixed text. */
      readonly reason: string;
    };
