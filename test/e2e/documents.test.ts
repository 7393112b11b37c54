import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
beforeAll(() => server.start());
afterAll(() => server.dispose());

/** The `sh` blocks of a document, joined: later ones use variables of earlier ones. */
function shellBlocks(path: string): string {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]).join('\n');
}

function shell(script: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      '/bin/sh',
      ['-eu'],
      {
        env: {
          ...process.env,
          BASE: server.baseUrl,
          EMAIL: ADMIN_EMAIL,
          PASSWORD: ADMIN_PASSWORD,
          MQTT_HOST: '127.0.0.1',
          MQTT_PORT: String(server.mqttPort),
        },
        timeout: 60_000,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      },
    );
    child.stdin?.end(script);
  });
}

describe('documents tell the truth', () => {
  it('TBS-105 every recipe of docs/api.md runs as written', { timeout: 90_000 }, async () => {
    const { code, output } = await shell(shellBlocks('docs/api.md'));
    expect(code, output).toBe(0);
    for (const proof of [
      '{"valve":"open"}',
      '"created":2,"updated":0,"errors":0',
      '"response":"SUCCESS"',
      'event: telemetry',
      '{"subscriptionId":1,"errorCode":0',
      '"title":"Overview of API guide customer"',
      '"toName":"API guide thermometer"',
      '"status":"CLEARED_ACK"',
      '"energy":[{"ts":',
      '"status":"QUEUED"',
    ]) {
      expect(output).toContain(proof);
    }
  });

  it('the first device of README.md runs as written', { timeout: 60_000 }, async () => {
    const { code, output } = await shell(shellBlocks('README.md'));
    expect(code, output).toBe(0);
    expect(output).toContain('"temperature":[{"ts":');
    expect(output).toContain('"value":"21.5"');
  });

  it.each([
    ['how-to/provision-devices.md', ['"status":"SUCCESS"', '"name":"Sensor 17"']],
    ['how-to/update-firmware.md', ['"fw_version":"1.2.0"', '"fw_state":[{"ts":', '"value":"UPDATED"']],
    ['how-to/link-devices.md', ['{"data":{"CH1":1}}', '"lastOutcome":"SENT"', '"totalElements":1']],
    ['how-to/webhooks.md', ['"totalElements":0']],
    ['how-to/use-a-gateway.md', ['"name":"Cellar gateway"', '"pressure":[{"ts":1700000000000,"value":"1.8"}]']],
    [
      'dialects/waveshare.md',
      ['Sub/1/37/19ba7e8b {"data":{"builtIn":1}}', '"batteryLevel":[{"ts":', '"value":"4.1"', '{"receivers":0}'],
    ],
    [
      'dialects/sensoro.md',
      [
        'users/guideapp/devices {"appId":"guideapp","sn":"10610117C5A9D9DF","type":"text","deviceType":"temp_humi"',
        '"data":{"temperature":20.5,"humidity":50.25}}',
        '{"info":"Invalid signature"}',
      ],
    ],
    [
      'dialects/thingscale.md',
      ['NEW_DEVICE_FOUND', '"value":{"temp":20,"humidity":50}', '{"result":"OK","receivers":1}', 'subscribe door=open'],
    ],
  ])('every step of docs/%s runs as written', { timeout: 60_000 }, async (name, proofs) => {
    const { code, output } = await shell(shellBlocks(`docs/${name}`));
    expect(code, output).toBe(0);
    for (const proof of proofs) expect(output).toContain(proof);
  });
});
