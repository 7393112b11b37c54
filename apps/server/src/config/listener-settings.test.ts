import { describe, expect, it } from 'vitest';
import { pinnedServerNames, plannedListeners, portsWithoutCertificate } from './listener-settings.ts';
import { loadConfiguration } from './load-configuration.ts';
import { formatProblem } from './problem.ts';

const load = (flags: Record<string, string>, environment: Record<string, string> = {}) =>
  loadConfiguration({ flags: new Map(Object.entries(flags)), environment, workingFolder: '/nowhere' });

async function good(flags: Record<string, string>, environment: Record<string, string> = {}) {
  const loaded = await load(flags, environment);
  if (!loaded.ok) expect.unreachable(loaded.problems.map(formatProblem).join('; '));
  return loaded.configuration;
}

async function bad(flags: Record<string, string>, environment: Record<string, string> = {}): Promise<string[]> {
  const loaded = await load(flags, environment);
  if (loaded.ok) expect.unreachable('accepted');
  return loaded.problems.map(formatProblem);
}

const CERTIFICATE = { '--cert': 'c.pem', '--key': 'k.pem' };

describe('plannedListeners', () => {
  const shown = async (flags: Record<string, string>, environment: Record<string, string> = {}): Promise<string[]> =>
    plannedListeners(await good(flags, environment)).map(
      ({ kind, port, pinnedDialect, optional }) =>
        `${kind} ${port}${pinnedDialect === null ? '' : ` ${pinnedDialect}`}${optional ? ' optional' : ''}`,
    );

  it('opens MQTT and WebSocket without a certificate, all four with one', async () => {
    expect(await shown({})).toEqual(['mqtt 1883', 'ws 8083 optional']);
    expect(await shown(CERTIFICATE)).toEqual([
      'mqtt 1883',
      'mqtts 8883 optional',
      'ws 8083 optional',
      'wss 8084 optional',
    ]);
  });

  it('takes free ports everywhere where mqtt.port is 0', async () => {
    expect(await shown({ '--mqtt-port': '0' })).toEqual(['mqtt 0', 'ws 0 optional']);
  });

  it('takes the ports that were asked for, and none where it is off', async () => {
    const flags = { ...CERTIFICATE, '--mqtts-port': '1', '--ws-port': 'off', '--wss-port': '3' };
    const environment = {
      MOORAGE_COMBINED__PORT: '443',
      MOORAGE_MQTT__PINNED_PORTS: '5=plain,6=thingsboard',
      MOORAGE_WSS__PINNED_PORTS: '0=plain',
    };
    expect(await shown(flags, environment)).toEqual([
      'mqtt 1883',
      'mqtt 5 plain',
      'mqtt 6 thingsboard',
      'mqtts 1',
      'wss 3',
      'wss 0 plain',
      'combined 443',
    ]);
  });
});

describe('settings of listeners', () => {
  it('resolves the files from the working folder', async () => {
    const { tls } = await good({ ...CERTIFICATE, '--key': '/etc/k.pem' }, { MOORAGE_TLS__CLIENT_CA: 'ca.pem' });
    expect(tls).toMatchObject({ certificate: '/nowhere/c.pem', key: '/etc/k.pem', clientCa: '/nowhere/ca.pem' });
  });

  it('reads pins by server name in lower case', async () => {
    const names = 'TB.Example.org=thingsboard,a=plain';
    expect([...pinnedServerNames(await good(CERTIFICATE, { MOORAGE_TLS__PINNED_SERVER_NAMES: names }))]).toEqual([
      ['tb.example.org', 'thingsboard'],
      ['a', 'plain'],
    ]);
  });

  it('names the ports that wait for a certificate', async () => {
    expect(portsWithoutCertificate(await good({ '--mqtts-port': '1', '--wss-port': '2' }))).toEqual([
      'mqtts.port',
      'wss.port',
    ]);
    expect(portsWithoutCertificate(await good({ ...CERTIFICATE, '--mqtts-port': '1' }))).toEqual([]);
  });

  it.each([
    [{ '--cert': 'c' }, {}, 'tls.certificate needs a certificate and its key'],
    [{ '--key': 'k' }, {}, 'tls.key needs a certificate and its key'],
    [{}, { MOORAGE_COMBINED__PORT: '443' }, 'combined.port needs a certificate and its key'],
    [{}, { MOORAGE_TLS__CLIENT_CA: 'x' }, 'tls.clientCa needs a certificate and its key'],
    [{}, { MOORAGE_TLS__PINNED_SERVER_NAMES: 'a=plain' }, 'tls.pinnedServerNames needs a certificate and its key'],
    [{}, { MOORAGE_WSS__PINNED_PORTS: '1=plain' }, 'wss.pinnedPorts needs a certificate and its key'],
    [{ '--ws-port': '1883' }, {}, 'ws.port and mqtt.port are both 1883 (give each its own port)'],
    [{}, { MOORAGE_MQTT__PINNED_PORTS: '8080=plain' }, 'mqtt.pinnedPorts and http.port are both 8080'],
    [{}, { MOORAGE_MQTT__PINNED_PORTS: '70000=plain' }, 'mqtt.pinnedPorts: there is no port 70000'],
    [{}, { MOORAGE_MQTT__PINNED_PORTS: 'plain' }, 'must be a list of entries `port=dialect`'],
    [
      { ...CERTIFICATE },
      { MOORAGE_TLS__PINNED_SERVER_NAMES: 'a b=c' },
      'must be a list of entries `host.name=dialect`',
    ],
    [{ '--ws-port': 'on' }, {}, '--ws-port: must be a whole number from 0 to 65535 or off, not "on"'],
  ])('refuses %j with %j', async (flags, environment, problem) => {
    const problems = await bad(flags as Record<string, string>, environment as Record<string, string>);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});
