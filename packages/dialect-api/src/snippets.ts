import type { ConnectionGuide, PublicEndpoint } from './connection-guide.ts';

/** One MQTT connection and one first message, from which ready commands are made. */
export interface MqttExample {
  /** null where the vendor asks for none; the same for `password` and `clientId`. */
  readonly username: string | null;
  readonly password: string | null;
  readonly clientId: string | null;
  readonly topicName: string;
  /** JSON text. */
  readonly payload: string;
  /** A filter worth subscribing to, or null. */
  readonly topicFilter: string | null;
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The word of a POSIX shell that stands for this text, whatever characters it has. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A string literal of JavaScript, Python and C++ alike, whatever characters the text has. */
export function stringLiteral(text: string): string {
  return JSON.stringify(text)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
    .replaceAll('\u007f', '\\u007f');
}

/** A host name or address as it stands in a URL. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The MQTT endpoints of a server, plain before TLS, WebSocket last. */
export function mqttEndpoints(endpoint: PublicEndpoint): ConnectionGuide['endpoints'] {
  const { mqttPort, mqttsPort, wsPort = null, wssPort = null } = endpoint;
  return endpointsAt(endpoint.host, { mqtt: mqttPort, mqtts: mqttsPort, ws: wsPort, wss: wssPort });
}

/** The ports that are open, by their protocol. */
export function endpointsAt(
  host: string,
  ports: Readonly<Record<string, number | null>>,
): ConnectionGuide['endpoints'] {
  const found: { protocol: string; host: string; port: number }[] = [];
  for (const [protocol, port] of Object.entries(ports)) if (port !== null) found.push({ protocol, host, port });
  return found;
}

/** Commands and programs that send the example, for the first MQTT endpoint; none where there is no such endpoint. */
export function mqttSnippets(endpoint: PublicEndpoint, example: MqttExample): ConnectionGuide['snippets'] {
  const first = mqttEndpoints(endpoint).find(({ protocol }) => protocol.startsWith('mqtt'));
  if (first === undefined) return [];
  const address: Address = { host: first.host, port: first.port, tls: first.protocol === 'mqtts' };
  const snippets = [
    { title: 'mosquitto_pub', language: 'shell', text: mosquittoPublish(address, example) },
    { title: 'MQTT.js', language: 'javascript', text: mqttJs(address, example) },
    { title: 'Python (paho-mqtt)', language: 'python', text: paho(address, example) },
    { title: 'Arduino (PubSubClient)', language: 'cpp', text: arduino(address, example) },
  ];
  if (example.topicFilter !== null) {
    const text = mosquittoSubscribe(address, example, example.topicFilter);
    snippets.splice(1, 0, { title: 'mosquitto_sub', language: 'shell', text });
  }
  return snippets;
}

function mosquittoOptions(address: Address, example: MqttExample): string {
  const options = ['-h', address.host, '-p', String(address.port)];
  if (address.tls) options.push('--tls-use-os-certs');
  if (example.clientId !== null) options.push('-i', example.clientId);
  if (example.username !== null) options.push('-u', example.username);
  if (example.password !== null) options.push('-P', example.password);
  return options.map(shellWord).join(' ');
}

function mosquittoPublish(address: Address, example: MqttExample): string {
  const message = `-t ${shellWord(example.topicName)} -m ${shellWord(example.payload)}`;
  return `mosquitto_pub -d -q 1 ${mosquittoOptions(address, example)} ${message}`;
}

function mosquittoSubscribe(address: Address, example: MqttExample, topicFilter: string): string {
  return `mosquitto_sub -v -q 1 ${mosquittoOptions(address, example)} -t ${shellWord(topicFilter)}`;
}

function mqttJs(address: Address, example: MqttExample): string {
  const options = [
    example.clientId === null ? null : `clientId: ${stringLiteral(example.clientId)}`,
    example.username === null ? null : `username: ${stringLiteral(example.username)}`,
    example.password === null ? null : `password: ${stringLiteral(example.password)}`,
  ].filter((option) => option !== null);
  return [
    "import mqtt from 'mqtt';",
    '',
    `const client = await mqtt.connectAsync(${stringLiteral(`${address.tls ? 'mqtts' : 'mqtt'}://${urlHost(address.host)}:${address.port}`)}, { ${options.join(', ')} });`,
    `await client.publishAsync(${stringLiteral(example.topicName)}, ${stringLiteral(example.payload)}, { qos: 1 });`,
    'await client.endAsync();',
  ].join('\n');
}

function paho(address: Address, example: MqttExample): string {
  const auth: string[] = [];
  if (example.username !== null) {
    const password = example.password === null ? '' : `, "password": ${stringLiteral(example.password)}`;
    auth.push(`    auth={"username": ${stringLiteral(example.username)}${password}},`);
  }
  return [
    address.tls ? 'import ssl\nfrom paho.mqtt import publish' : 'from paho.mqtt import publish',
    '',
    'publish.single(',
    `    ${stringLiteral(example.topicName)},`,
    `    payload=${stringLiteral(example.payload)},`,
    '    qos=1,',
    `    hostname=${stringLiteral(address.host)},`,
    `    port=${address.port},`,
    ...(example.clientId === null ? [] : [`    client_id=${stringLiteral(example.clientId)},`]),
    ...auth,
    ...(address.tls ? ['    tls={"cert_reqs": ssl.CERT_REQUIRED},'] : []),
    ')',
  ].join('\n');
}

function arduino(address: Address, example: MqttExample): string {
  const text = (value: string | null) => (value === null ? 'NULL' : stringLiteral(value));
  const clientId = stringLiteral(example.clientId ?? 'arduino');
  return [
    '#include "PubSubClient.h"',
    '',
    `// Call it with a connected network client${address.tls ? ' that speaks TLS' : ''}, such as the one of your WiFi or Ethernet library.`,
    'bool sendFirstMessage(Client& network) {',
    '  PubSubClient mqtt(network);',
    `  mqtt.setServer(${stringLiteral(address.host)}, ${address.port});`,
    `  if (!mqtt.connect(${clientId}, ${text(example.username)}, ${text(example.password)})) return false;`,
    `  return mqtt.publish(${stringLiteral(example.topicName)}, ${stringLiteral(example.payload)});`,
    '}',
  ].join('\n');
}
