import { describe, expect, it } from 'vitest';
import { maskedTopic, parseFilter, parsePublishTopic } from './topics.ts';

const data = (mode: string, deviceId: string, tag: string | null = null) => ({ kind: 'data', mode, deviceId, tag });
const other = (code: string) => ({ kind: 'other', code });

describe('the levels behind the token', () => {
  it.each([
    ['/json/dev01', data('json', 'dev01')],
    ['/json/dev01/', data('json', 'dev01')],
    ['/json/dev01/node1', data('json', 'dev01', 'node1')],
    ['/binary/dev01', data('binary', 'dev01')],
    ['/binary/dev01/', data('binary', 'dev01')],
    ['/binary/dev01/node1', data('binary', 'dev01', 'node1')],
    ['/state/dev01', { kind: 'state', deviceId: 'dev01' }],
    ['/dev01/subscribe', { kind: 'command' }],
    ['/dev01', data('legacy', 'dev01')],
    // The first row of the table that fits decides.
    ['/json/subscribe', data('json', 'subscribe')],
    ['/state/subscribe', { kind: 'state', deviceId: 'subscribe' }],
    ['/subscribe', data('legacy', 'subscribe')],
    ['/日本語', data('legacy', '日本語')],
    ['', other('TOPIC_NOT_DATA')],
    ['/', other('TOPIC_NOT_DATA')],
    ['/json', other('TOPIC_NOT_DATA')],
    ['/binary', other('TOPIC_NOT_DATA')],
    ['/bin', other('TOPIC_NOT_DATA')],
    ['/state', other('TOPIC_NOT_DATA')],
    ['/json/', other('TOPIC_NOT_DATA')],
    ['/json//node1', other('TOPIC_NOT_DATA')],
    ['/json/json', other('TOPIC_NOT_DATA')],
    ['/json/dev01/node1/x', other('TOPIC_NOT_DATA')],
    ['/json/dev01/node1/', other('TOPIC_NOT_DATA')],
    ['/state/dev01/', other('TOPIC_NOT_DATA')],
    ['/dev01/', other('TOPIC_NOT_DATA')],
    ['/dev01/x', other('TOPIC_NOT_DATA')],
    ['/dev01/subscribe/', other('TOPIC_NOT_DATA')],
    [`/json/${'x'.repeat(129)}`, other('TOPIC_NOT_DATA')],
    [`/json/dev01/${'x'.repeat(65)}`, other('TOPIC_NOT_DATA')],
    ['/json/dev\u0001', other('TOPIC_NOT_DATA')],
    ['/json/0', other('DEVICE_ID_ZERO')],
    ['/binary/0/node1', other('DEVICE_ID_ZERO')],
    ['/state/0', other('DEVICE_ID_ZERO')],
    ['/0', other('DEVICE_ID_ZERO')],
  ])('%j', (rest, meaning) => {
    expect(parsePublishTopic(rest)).toEqual(meaning);
  });

  it('TS-15 bin is the same as binary', () => {
    for (const rest of ['/dev01', '/dev01/', '/dev01/node1', '/0', '']) {
      expect(parsePublishTopic(`/bin${rest}`)).toEqual(parsePublishTopic(`/binary${rest}`));
    }
  });
});

describe('filters', () => {
  it.each([
    ['T/#', { token: 'T', entered: '~/#', matched: '~/#' }],
    ['T/+/subscribe', { token: 'T', entered: '~/+/subscribe', matched: '~/+/subscribe' }],
    ['T', { token: 'T', entered: '~', matched: '~' }],
    ['$share/g/T/json/+', { token: 'T', entered: '$share/g/~/json/+', matched: '~/json/+' }],
    ['#', { token: '#', entered: '~', matched: '~' }],
    ['+/dev01/subscribe', { token: '+', entered: '~/dev01/subscribe', matched: '~/dev01/subscribe' }],
    ['$share//T', undefined],
  ])('%j', (topicFilter, parts) => {
    expect(parseFilter(topicFilter)).toEqual(parts);
  });
});

it('a topic in a list shows the beginning of its token alone', () => {
  expect(maskedTopic('0123456789ABCDEF/json/dev01')).toBe('0123…/json/dev01');
  expect(maskedTopic('tok/json/dev01')).toBe('tok/json/dev01');
  expect(maskedTopic('0123456789ABCDEF')).toBe('0123…');
});
