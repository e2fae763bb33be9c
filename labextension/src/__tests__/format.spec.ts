import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ago, brief, bytes, duration, elapsed, plain, shorten } from '../format';

describe('durations', () => {
  const rows: [number | null | undefined, string][] = [
    [null, ''],
    [undefined, ''],
    [NaN, ''],
    [-0.2, '0.0s'],
    [0.04, '0.0s'],
    [9.94, '9.9s'],
    [9.96, '10s'],
    [59.4, '59s'],
    [59.6, '1m 00s'],
    [185, '3m 05s'],
    [3600, '1h 00m'],
    [7800, '2h 10m'],
    [86_400 * 3 + 3600 * 4, '3d 4h']
  ];
  for (const [seconds, text] of rows) {
    test(`${seconds} s`, () => assert.equal(duration(seconds), text));
  }
});

test('what has not begun has no elapsed time, and what goes on grows', () => {
  const now = Date.parse('2026-01-01T12:00:10Z');
  assert.equal(elapsed(null, null, now), null);
  assert.equal(elapsed('2026-01-01T12:00:00Z', null, now), 10);
  assert.equal(elapsed('2026-01-01T12:00:00Z', '2026-01-01T12:00:03Z', now), 3);
  assert.equal(elapsed('2026-01-01T12:00:20Z', null, now), 0); // clocks differ
});

test('ages are told as people tell them', () => {
  const now = new Date(2026, 4, 20, 15, 0, 0).getTime();
  const at = (...parts: [number, number, number, number, number]): string =>
    new Date(...parts).toISOString();
  assert.equal(ago(null, now), '');
  assert.equal(ago(new Date(now - 20_000).toISOString(), now), 'just now');
  assert.equal(ago(at(2026, 4, 20, 14, 56), now), '4 min ago');
  assert.equal(ago(at(2026, 4, 20, 12, 0), now), '3 h ago');
  assert.equal(ago(at(2026, 4, 19, 14, 5), now), 'yesterday 14:05');
  assert.equal(ago(at(2026, 2, 12, 9, 30), now), '12 Mar 09:30');
  assert.equal(ago(at(2024, 2, 12, 9, 30), now), '12 Mar 2024');
});

test('sizes', () => {
  assert.deepEqual([null, 0, 312, 4300, 150_000, 1_400_000_000].map(bytes), [
    '',
    '0 B',
    '312 B',
    '4.2 KiB',
    '146 KiB',
    '1.3 GiB'
  ]);
});

test('values stand on one line', () => {
  assert.equal(plain('a'), 'a');
  assert.equal(plain(0.1 + 0.2), '0.3');
  assert.equal(plain(20), '20');
  assert.equal(plain(undefined), '');
  assert.equal(plain({ a: [1, null] }), '{"a":[1,null]}');
  assert.equal(brief('blob://sha256/0123456789abcdef/train.parquet'), 'train.parquet · 01234567');
  assert.equal(shorten('abcdef', 4), 'abc…');
  assert.equal(shorten('abcd', 4), 'abcd');
});
