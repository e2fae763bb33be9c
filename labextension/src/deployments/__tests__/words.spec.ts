import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { byShare, latency, looks, percent, request, served } from '../words';
import { deployment } from './builders';

describe('shares', () => {
  const percents: [number, string][] = [
    [0, '0 %'],
    [0.0001, '0.01 %'],
    [0.005, '0.5 %'],
    [0.01, '1 %'],
    [0.333, '33 %'],
    [0.99, '99 %'],
    [0.995, '99.5 %'],
    [0.9999, '99.99 %'],
    [1, '100 %']
  ];
  for (const [share, expected] of percents) {
    test(`${share}`, () => assert.equal(percent(share), expected));
  }

  const traffics: [Record<string, number>, string][] = [
    [{}, ''],
    [{ '7': 1 }, 'v7'],
    [{ '3': 0.995, '4': 0.005 }, 'v3 99.5 % · v4 0.5 %'],
    [{ '9': 0.5, '10': 0.5 }, 'v10 50 % · v9 50 %'],
    [{ '1': 0.2, '2': 0.3, '3': 0.5 }, 'v3 50 % · v2 30 % · v1 20 %']
  ];
  for (const [traffic, expected] of traffics) {
    test(JSON.stringify(traffic), () => assert.equal(served(traffic), expected));
  }

  test('are sorted without changing what was given', () => {
    const traffic = Object.freeze({ '1': 0.1, '2': 0.9 });
    assert.deepEqual(byShare(traffic), [
      ['2', 0.9],
      ['1', 0.1]
    ]);
  });
});

describe('latencies', () => {
  const cases: [number | undefined, string][] = [
    [undefined, ''],
    [NaN, ''],
    [0, '0 ms'],
    [0.00001234, '0.012 ms'],
    [0.0456, '46 ms'],
    [0.456, '460 ms'],
    [0.9999, '1000 ms'],
    [1, '1.0 s'],
    [61.26, '61.3 s']
  ];
  for (const [seconds, expected] of cases) {
    test(`${seconds}`, () => assert.equal(latency(seconds), expected));
  }
});

describe('the look of a state', () => {
  const cases: [string, string][] = [
    ['running', 'succeeded'],
    ['deploying', 'running'],
    ['starting', 'running'],
    ['degraded', 'failed'],
    ['failed', 'failed'],
    ['stopped', 'cancelled'],
    ['removed', 'cancelled'],
    ['something of a newer server', 'cancelled']
  ];
  for (const [state, expected] of cases) {
    test(state, () => assert.equal(looks(state), expected));
  }
});

describe('what is asked for', () => {
  type Form = Parameters<typeof request>[0];
  const ask = (changes: Partial<Form> = {}): ReturnType<typeof request> =>
    request({
      model: 'late',
      version: '4',
      name: '',
      target: 'local',
      least: '1',
      most: '1',
      canary: '100',
      follow: false,
      now: undefined,
      ...changes
    });
  const NOW = deployment({ traffic: { '3': 0.9, '2': 0.1 } });

  test('is a version by its number, or by its alias', () => {
    assert.equal(ask().asked.model, 'models:/late/4');
    assert.equal(ask({ version: 'v4' }).asked.model, 'models:/late@v4');
    assert.equal(ask({ version: 'champion' }).asked.model, 'models:/late@champion');
  });

  test('has a name only when one was given', () => {
    assert.ok(!('name' in ask().asked));
    assert.equal(ask({ name: 'flüge' }).asked.name, 'flüge');
  });

  const replicas: [string, string, boolean][] = [
    ['1', '1', true],
    ['2', '1000', true],
    ['0', '1', false],
    ['2', '1', false],
    ['-1', '1', false],
    ['1.5', '2', false],
    ['', '2', false],
    ['1', 'many', false]
  ];
  for (const [least, most, isFine] of replicas) {
    test(`from ${least || 'nothing'} to ${most} replicas`, () => {
      const { asked, wrong } = ask({ least, most });
      assert.equal(wrong, isFine ? '' : 'replicas: at least 1, and at most no fewer than at least');
      assert.deepEqual(asked.replicas, isFine ? [Number(least), Number(most)] : undefined);
    });
  }

  const shares: [string, Record<string, number> | undefined, RegExp][] = [
    ['100', undefined, /^$/],
    ['10', { '3': 0.9, '4': 0.1 }, /^$/],
    ['0.5', { '3': 0.995, '4': 0.005 }, /^$/],
    ['33.3333333', { '3': 0.666667, '4': 0.333333333 }, /^$/],
    ['0', undefined, /above 0/],
    ['101', undefined, /above 0/],
    ['-5', undefined, /above 0/],
    ['', undefined, /above 0/],
    ['x', undefined, /above 0/]
  ];
  for (const [canary, traffic, wrong] of shares) {
    test(`${canary || 'no'} % of the requests`, () => {
      const found = ask({ canary, now: NOW });
      assert.deepEqual(found.asked.traffic, traffic);
      assert.match(found.wrong, wrong);
    });
  }

  const parts: [string, Partial<Form>][] = [
    ['nothing serves yet', { now: undefined }],
    ['nothing is served', { now: deployment({ traffic: {} }) }],
    ['it is the one that serves', { version: '3', now: NOW }],
    ['it is named by an alias', { version: 'champion', now: NOW }]
  ];
  for (const [what, changes] of parts) {
    test(`a part of the requests cannot be when ${what}`, () =>
      assert.match(ask({ canary: '10', ...changes }).wrong, /needs another version/));
  }
});
