import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { trans } from '../../language';
import { profile, view } from './builders';
import { age, coarse, driftLevel, FRESH_STROKES, freshness, moments, percent } from '../words';

describe('how fresh a view is', () => {
  const cases: [string, Parameters<typeof view>[1], ReturnType<typeof freshness>, string][] = [
    ['newer than its ttl', { freshness_seconds: 60, ttl_seconds: 61 }, 'fresh', '1 min old'],
    ['just as old as its ttl', { freshness_seconds: 60, ttl_seconds: 60 }, 'fresh', '1 min old'],
    ['older', { freshness_seconds: 61, ttl_seconds: 60 }, 'stale', '1 min old'],
    [
      'old, but good for ever',
      { freshness_seconds: 1e9, ttl_seconds: null },
      'fresh',
      '11574 d old'
    ],
    ['of this moment', { freshness_seconds: 0, ttl_seconds: 0 }, 'fresh', '0 s old'],
    ['known into the future, as a forecast is', { freshness_seconds: -7200 }, 'fresh', '0 s old'],
    ['never computed', { freshness_seconds: null }, 'none', 'not materialized'],
    ['computed when asked', { kind: 'on_demand', freshness_seconds: null }, 'always', 'when asked'],
    [
      'pushed and not yet there',
      { kind: 'push', freshness_seconds: null },
      'none',
      'not materialized'
    ]
  ];
  for (const [what, changes, kind, words] of cases) {
    test(what, () => {
      const one = view('weather', changes);
      assert.equal(freshness(one), kind);
      assert.equal(age(one, trans), words);
    });
  }

  test('every kind has a sign of its own', () => {
    assert.equal(new Set(Object.values(FRESH_STROKES)).size, 4);
  });
});

describe('numbers in words', () => {
  const durations: [number, string][] = [
    [0, '0 s'],
    [59, '59 s'],
    [59.5, '1 min'],
    [90, '2 min'],
    [3563, '59 min'],
    [3565, '1 h'],
    [85_000, '24 h'],
    [86_400, '1 d'],
    [400 * 86_400, '400 d']
  ];
  for (const [seconds, expected] of durations) {
    test(`${seconds} seconds`, () => assert.equal(coarse(seconds), expected));
  }

  const shares: [number, string][] = [
    [0, '0'],
    [0.00001, '0.001 %'],
    [0.0096, '1 %'],
    [0.01, '1 %'],
    [0.0996, '10 %'],
    [0.104, '10 %'],
    [0.996, '100 %'],
    [1, '100 %']
  ];
  for (const [share, expected] of shares) {
    test(`a share of ${share}`, () => assert.equal(percent(share), expected));
  }

  const levels: [number | null, boolean, string][] = [
    [null, false, 'none'],
    [null, true, 'much'],
    [0.0999, false, 'none'],
    [0.1, false, 'some'],
    [0.2, false, 'some'],
    [0, true, 'much']
  ];
  for (const [psi, isDrifted, expected] of levels) {
    test(`drift of ${psi}${isDrifted ? ', too much' : ''}`, () =>
      assert.equal(driftLevel(psi, isDrifted), expected));
  }

  test('moments as far as they are known, zero among them', () => {
    assert.deepEqual(moments(profile('x')), []);
    assert.deepEqual(moments(profile('x', { mean: 0, maximum: -1 })), [
      ['mean', 0],
      ['max', -1]
    ]);
  });
});
