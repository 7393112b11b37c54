/** What a gateway publishes. Section 8 */
export type GatewayTopic =
  | 'connect'
  | 'disconnect'
  | 'telemetry'
  | 'attributes'
  | 'attributesRequest'
  | 'rpc'
  | 'claim';

const TOPICS: ReadonlyMap<string, GatewayTopic> = new Map<string, GatewayTopic>([
  ['v1/gateway/connect', 'connect'],
  ['v1/gateway/disconnect', 'disconnect'],
  ['v1/gateway/telemetry', 'telemetry'],
  ['v1/gateway/attributes', 'attributes'],
  ['v1/gateway/attributes/request', 'attributesRequest'],
  ['v1/gateway/rpc', 'rpc'],
  ['v1/gateway/claim', 'claim'],
]);

/** What the server sends to a gateway. Section 8 */
export const GATEWAY_ATTRIBUTES = 'v1/gateway/attributes';
export const GATEWAY_ATTRIBUTES_RESPONSE = 'v1/gateway/attributes/response';
export const GATEWAY_RPC = 'v1/gateway/rpc';
export const GATEWAY_DISCONNECT = 'v1/gateway/disconnect';

/** undefined: no topic of the gateway API. */
export function gatewayTopic(topicName: string): GatewayTopic | undefined {
  return TOPICS.get(topicName);
}
