import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trans } from '../../language';
import type { QuotaUse } from '../../types';
import { ahead, limited, ofWhom, used } from '../words';
import { quota } from './builders';

const NOW = Date.parse('2026-01-01T12:00:00Z');

describe('when somebody starts', () => {
  const minutes: [number, string][] = [
    [-600, 'about to start'], // overdue, or the server's clock is behind
    [0, 'about to start'],
    [0.99, 'about to start'],
    [1, 'about 1 min'],
    [89.4, 'about 89 min'],
    [90, 'about 2 h'],
    [100, 'about 2 h'],
    [2879, 'about 48 h'],
    [2880, 'about 2 d'],
    [525_600, 'about 365 d']
  ];
  for (const [ahead_, said] of minutes) {
    test(`in ${ahead_} minutes is ${said}`, () =>
      assert.equal(ahead(new Date(NOW + ahead_ * 60_000).toISOString(), NOW, trans), said));
  }

  for (const unknown of [null, '']) {
    test(`is not said where nobody knows (${JSON.stringify(unknown)})`, () =>
      assert.equal(ahead(unknown, NOW, trans), ''));
  }
});

describe('a limit', () => {
  const whose: [QuotaUse['scope'], string, string][] = [
    ['all', '', 'everybody'],
    ['group', 'research', 'group research'],
    ['user', 'ädä', 'user ädä'],
    ['queue', 'night', 'queue night']
  ];
  for (const [scope, name, said] of whose) {
    test(`of ${said}`, () => assert.equal(ofWhom(quota({ scope, name }), trans), said));
  }

  const what: [
    QuotaUse['resource'],
    isMonthly: boolean,
    used: number,
    limit: number,
    of: string,
    much: string
  ][] = [
    ['runs', false, 0, 3, 'runs', '0 / 3'],
    ['tasks', false, 7, 7, 'tasks', '7 / 7'],
    ['cpu', false, 1.5, 8, 'cpu', '1.5 / 8'],
    ['cpu', false, 0.1 + 0.2, 8, 'cpu', '0.3 / 8'],
    ['gpu', false, 12, 4, 'gpu', '12 / 4'],
    ['memory', false, 0, 2 ** 40, 'memory', '0 B / 1.0 TiB'],
    ['memory', false, 1536, 2 ** 30, 'memory', '1.5 KiB / 1.0 GiB'],
    ['gpu_hours', true, 0.333333, 100, 'gpu hours this month', '0.33 / 100'],
    ['cost', true, 20.1, 1234.5, 'cost this month', '$20.10 / $1,235'],
    ['cost', true, 0, 0, 'cost this month', '$0 / $0']
  ];
  for (const [resource, isMonthly, inUse, limit, of, much] of what) {
    test(`of ${of} says ${much}`, () => {
      const one = quota({ resource, is_monthly: isMonthly, used: inUse, limit });
      assert.equal(limited(one, trans), of);
      assert.equal(used(one), much);
    });
  }
});
