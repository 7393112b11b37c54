import { describe, expect, it } from 'vitest';
import { trustedProxies } from './trusted-proxies.ts';

describe('trusted proxies', () => {
  it('are addresses and networks of both families, IPv4 also in its mapped form', () => {
    const trusted = trustedProxies(['10.1.0.0/16', '192.0.2.7', 'fd00::/8', '::1']);
    for (const address of ['10.1.255.1', '::ffff:10.1.0.1', '192.0.2.7', 'fd12::5', '::1']) {
      expect(trusted(address), address).toBe(true);
    }
    for (const address of ['10.2.0.1', '192.0.2.8', 'fe80::1', '', 'nonsense', '10.1.0.1.5']) {
      expect(trusted(address), address).toBe(false);
    }
    expect(trustedProxies([])('127.0.0.1')).toBe(false);
  });

  it('that are no addresses keep the server from starting', () => {
    for (const entry of ['10.0.0', '10.0.0.0/33', '10.0.0.0/x', 'proxy', '::/129']) {
      expect(() => trustedProxies([entry]), entry).toThrow(/trustedProxies/);
    }
  });
});
