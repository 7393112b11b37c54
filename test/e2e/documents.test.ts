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
  it('every recipe of docs/api.md runs as written', { timeout: 90_000 }, async () => {
    const { code, output } = await shell(shellBlocks('docs/api.md'));
    expect(code, output).toBe(0);
  });

  it('the first device of README.md runs as written', { timeout: 60_000 }, async () => {
    const { code, output } = await shell(shellBlocks('README.md'));
    expect(code, output).toBe(0);
    expect(output).toContain('"temperature":[{"ts":');
    expect(output).toContain('"value":"21.5"');
  });
});
