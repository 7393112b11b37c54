/** Member of `additionalInfo` with the id of the gateway that a device was last behind. thingsboard-device.md, 8 */
export const LAST_GATEWAY = 'lastConnectedGateway';
