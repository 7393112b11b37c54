import { type Device, type DeviceCredentials, parseJson } from '@moorage/core';
import {
  type ConnectionGuide,
  mqttEndpoints,
  mqttSnippets,
  type PublicEndpoint,
  textMember,
} from '@moorage/dialect-api';
import { arduinoSketch } from './guide/arduino-sketch.ts';
import { atCommands } from './guide/at-commands.ts';
import { type GuideExample, PAYLOAD } from './guide/example.ts';
import { micropythonProgram } from './guide/micropython.ts';
import { DIALECT_ID } from './manifest.ts';

const GENERIC_SKETCH = 'Arduino (PubSubClient)';

/** A quotation mark or a line break cannot be typed inside a parameter of an AT command. */
function isTypable(text: string | null): boolean {
  return text === null || /^[ !#-~]*$/.test(text);
}

function programs(example: GuideExample): ConnectionGuide['snippets'] {
  const modem = {
    title: 'AT commands for SIM7028, SIM7670 and A7670 modems (what follows a length is typed at the prompt)',
    language: 'text',
    text: atCommands(example),
  };
  return [
    { title: 'Arduino sketch for ESP32 (PubSubClient)', language: 'cpp', text: arduinoSketch(example) },
    ...(isTypable(example.password) ? [modem] : []),
    { title: 'MicroPython (umqtt.simple)', language: 'python', text: micropythonProgram(example) },
  ];
}

/** How to connect a device: its triple and programs that use it. The stored form is in api-additions.md, section 1. */
export function connectionGuide(
  device: Device,
  credentials: DeviceCredentials,
  endpoint: PublicEndpoint,
): ConnectionGuide {
  const value = parseJson(credentials.credentialsValue ?? '');
  const clientId = credentials.credentialsId;
  const pubTopic = textMember(value, 'pubTopic');
  const subTopic = textMember(value, 'subTopic');
  const password = textMember(value, 'password');
  const endpoints = mqttEndpoints(endpoint);
  const first = endpoints.find(({ protocol }) => protocol.startsWith('mqtt'));
  const fields = [
    { name: 'device', value: device.name, secret: false },
    { name: 'clientId', value: clientId, secret: false },
    ...(pubTopic === null ? [] : [{ name: 'pubTopic', value: pubTopic, secret: false }]),
    ...(subTopic === null ? [] : [{ name: 'subTopic', value: subTopic, secret: false }]),
    ...(password === null ? [] : [{ name: 'password', value: password, secret: true }]),
    ...(first === undefined
      ? []
      : [
          { name: 'host', value: first.host, secret: false },
          { name: 'port', value: String(first.port), secret: false },
        ]),
  ];
  if (first === undefined || pubTopic === null || subTopic === null) {
    return { dialect: DIALECT_ID, endpoints, fields, snippets: [] };
  }
  const tls = first.protocol === 'mqtts';
  const example = { host: first.host, port: first.port, tls, clientId, pubTopic, subTopic, password };
  const commands = mqttSnippets(endpoint, {
    // 3.x knows no password without a user name; any that nobody holds will do. recognition.md, section 4
    username: password === null ? null : clientId,
    password,
    clientId,
    topicName: pubTopic,
    payload: PAYLOAD,
    topicFilter: subTopic,
  }).filter(({ title }) => title !== GENERIC_SKETCH);
  return { dialect: DIALECT_ID, endpoints, fields, snippets: [...commands, ...programs(example)] };
}
