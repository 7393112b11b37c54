import { byteLength, type GuideExample, PAYLOAD } from './example.ts';

/** Seconds. Section 1.3 */
const KEEP_ALIVE = 20;
const PUBLISH_TIMEOUT = 60;

/**
 * What is typed into a modem, each line after the answer to the one before. The line behind one that ends in a length is
 * typed at the prompt and has exactly this length. Section 1.3
 */
export function atCommands(example: GuideExample): string {
  const { host, port, tls, clientId, pubTopic, subTopic, password } = example;
  const address = host.includes(':') ? `[${host}]` : host;
  const login = password === null ? '' : `,"${clientId}","${password}"`;
  return [
    'AT+CMQTTSTART',
    `AT+CMQTTACCQ=0,"${clientId}",${tls ? 1 : 0}`,
    `AT+CMQTTCONNECT=0,"tcp://${address}:${port}",${KEEP_ALIVE},1${login}`,
    `AT+CMQTTSUB=0,${byteLength(subTopic)},1`,
    subTopic,
    `AT+CMQTTTOPIC=0,${byteLength(pubTopic)}`,
    pubTopic,
    `AT+CMQTTPAYLOAD=0,${byteLength(PAYLOAD)}`,
    PAYLOAD,
    `AT+CMQTTPUB=0,1,${PUBLISH_TIMEOUT}`,
  ].join('\n');
}
