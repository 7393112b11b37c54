import { stringLiteral } from '@moorage/dialect-api';
import { type GuideExample, PAYLOAD } from './example.ts';

/** A program for boards with MicroPython and its library umqtt.simple. Complete but for the Wi-Fi. Section 2.2 */
export function micropythonProgram(example: GuideExample): string {
  const { host, port, tls, clientId, pubTopic, subTopic, password } = example;
  const login = password === null ? '' : `, user=${stringLiteral(clientId)}, password=${stringLiteral(password)}`;
  return [
    'import network',
    'import time',
    'from umqtt.simple import MQTTClient',
    '',
    '# These two are yours to fill in, and nothing else.',
    'WIFI_NAME = "name of your Wi-Fi"',
    'WIFI_PASSWORD = "password of your Wi-Fi"',
    '',
    'wifi = network.WLAN(network.STA_IF)',
    'wifi.active(True)',
    'wifi.connect(WIFI_NAME, WIFI_PASSWORD)',
    'while not wifi.isconnected():',
    '    time.sleep(1)',
    '',
    '',
    'def received(topic, payload):',
    '    print(topic, payload)',
    '',
    '',
    `mqtt = MQTTClient(${stringLiteral(clientId)}, ${stringLiteral(host)}, port=${port}${login}, keepalive=60${tls ? ', ssl=True' : ''})`,
    'mqtt.set_callback(received)',
    'mqtt.connect()',
    `mqtt.subscribe(${stringLiteral(subTopic)})`,
    'while True:',
    `    mqtt.publish(${stringLiteral(pubTopic)}, ${stringLiteral(PAYLOAD)})`,
    '    for _ in range(50):',
    '        mqtt.check_msg()',
    '        time.sleep_ms(100)',
  ].join('\n');
}
