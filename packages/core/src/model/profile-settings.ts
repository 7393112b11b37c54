/** What a device profile means for a live connection; derived once from its `profileData`. */
export interface ProfileSettings {
  /** Strings that read as numbers are stored as numbers. thingsboard-device.md, 2.3 */
  readonly castStrings: boolean;
  /** Acknowledge a malformed payload of a 3.x device instead of closing it. thingsboard-device.md, 1.9 */
  readonly sendAckOnValidationException: boolean;
  /** Topics of the ThingsBoard dialect; null: the default. */
  readonly telemetryTopic: string | null;
  readonly attributesTopic: string | null;
  readonly attributesSubscribeTopic: string | null;
  readonly transportType: string;
}

export const DEFAULT_PROFILE_SETTINGS: ProfileSettings = {
  castStrings: true,
  sendAckOnValidationException: false,
  telemetryTopic: null,
  attributesTopic: null,
  attributesSubscribeTopic: null,
  transportType: 'DEFAULT',
};
