import { Application, ApplicationCredentials, ApplicationInput, ApplicationPage } from './application.ts';
import { ChangePasswordRequest, LoginRequest, PasswordPolicy, RefreshRequest, TokenPair, User } from './auth.ts';
import type { NamedSchema } from './building-blocks.ts';
import { ConnectionGuide } from './connection-guide.ts';
import { ConnectionLogEntry, ConnectionLogPage } from './connection-log.ts';
import {
  Device,
  DeviceInfo,
  DeviceInfoPage,
  DeviceInput,
  DevicePage,
  DeviceType,
  DeviceWithCredentialsInput,
} from './device.ts';
import { DeviceCredentials, DeviceCredentialsInput } from './device-credentials.ts';
import {
  DeviceProfile,
  DeviceProfileInfo,
  DeviceProfileInfoPage,
  DeviceProfileInput,
  DeviceProfilePage,
} from './device-profile.ts';
import { BareId, EntityId, EntityIdInput } from './entity-id.ts';
import { ErrorObject } from './error-object.ts';
import { Health, Readiness, SystemInfo } from './system-info.ts';
import { AttributesInput, AttributeValue, KeyNames, SeriesInput, SeriesValues } from './telemetry.ts';

/** Every schema that others refer to, by name: the components of the OpenAPI document. */
export const NAMED_SCHEMAS = {
  Application,
  ApplicationCredentials,
  ApplicationInput,
  ApplicationPage,
  AttributeValue,
  AttributesInput,
  BareId,
  ChangePasswordRequest,
  ConnectionGuide,
  ConnectionLogEntry,
  ConnectionLogPage,
  Device,
  DeviceCredentials,
  DeviceCredentialsInput,
  DeviceInfo,
  DeviceInfoPage,
  DeviceInput,
  DevicePage,
  DeviceProfile,
  DeviceProfileInfo,
  DeviceProfileInfoPage,
  DeviceProfileInput,
  DeviceProfilePage,
  DeviceType,
  DeviceWithCredentialsInput,
  EntityId,
  EntityIdInput,
  ErrorObject,
  Health,
  KeyNames,
  LoginRequest,
  PasswordPolicy,
  Readiness,
  RefreshRequest,
  SeriesInput,
  SeriesValues,
  SystemInfo,
  TokenPair,
  User,
} satisfies Readonly<Record<string, NamedSchema>>;
