import { describe, expect, it } from 'vitest';
import { webhookUrlProblem } from './webhook-url.ts';

describe('addresses of webhooks', () => {
  it.each([
    'https://example.org',
    'http://example.org:8080/hook?token=a@b#part',
    'HTTPS://Example.org/ä',
    'http://192.0.2.1/',
    'http://[2001:db8::1]:8443/x',
    `https://example.org/${'a'.repeat(2028)}`,
  ])('%s is one', (url) => {
    expect(webhookUrlProblem(url)).toBeNull();
  });

  it.each([
    ['ftp://example.org', 'is not an http or https address'],
    ['example.org/hook', 'is not an http or https address'],
    ['https://', 'is not an http or https address'],
    ['https:///hook', 'is not an http or https address'],
    ['https:\\\\example.org', 'is not an http or https address'],
    ['http://good.example\\@evil.example', 'is not an http or https address'],
    ['http://a b/', 'is not an http or https address'],
    ['http://example.org/\u0000', 'is not an http or https address'],
    ['http://example.org:x/', 'is not an http or https address'],
    ['http://user:word@example.org/', 'has a user name or password in it'],
    ['http://user@example.org', 'has a user name or password in it'],
    ['http://example.org:70000/', 'has a port that does not exist'],
    [`https://example.org/${'a'.repeat(2029)}`, 'is longer than 2048 characters'],
    [7, 'is not a text'],
  ])('%s is none', (url, problem) => {
    expect(webhookUrlProblem(url)).toBe(problem);
  });
});
