/** Where devices reach this server. */
export interface PublicEndpoint {
  readonly host: string;
  readonly mqttPort: number | null;
  readonly mqttsPort: number | null;
  readonly httpPort: number | null;
  /** MQTT over WebSocket and over secure WebSocket, on any path; absent: none. */
  readonly wsPort?: number | null;
  readonly wssPort?: number | null;
  /** UDP; absent: none. */
  readonly coapPort?: number | null;
}

/** Everything needed to connect one device. api-additions.md, section 1 */
export interface ConnectionGuide {
  readonly dialect: string;
  readonly endpoints: readonly { readonly protocol: string; readonly host: string; readonly port: number }[];
  readonly fields: readonly { readonly name: string; readonly value: string; readonly secret: boolean }[];
  readonly snippets: readonly { readonly title: string; readonly language: string; readonly text: string }[];
}
