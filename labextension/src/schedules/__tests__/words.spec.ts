import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { trans } from '../../language';
import { common, onClock, rank, until } from '../words';

const NOW = Date.parse('2026-01-02T12:00:00Z');

describe('when something comes', () => {
  const cases: [string | null, string][] = [
    [null, 'never'],
    ['2026-01-02T12:00:00Z', 'due'],
    ['2020-01-01T00:00:00Z', 'due'],
    ['2026-01-02T12:00:30Z', 'in 30s'],
    ['2026-01-02T12:05:05Z', 'in 5m 05s'],
    ['2026-01-03T12:00:00Z', 'in 1d 0h'],
    ['2026-01-04T11:59:59Z', 'in 1d 23h'],
    ['2026-01-04T12:00:00Z', 'in 2 d'],
    ['2036-01-02T12:00:00Z', 'in 3652 d'],
    ['2026-01-02T14:00:30+02:00', 'in 30s']
  ];
  for (const [at, expected] of cases) {
    test(String(at), () => assert.equal(until(at, NOW, trans), expected));
  }
});

describe('the clock of a zone', () => {
  const cases: [string, string, string][] = [
    ['2026-01-02T12:00:00Z', 'UTC', 'Fri 2026-01-02 12:00'],
    ['2026-01-02T23:30:00Z', 'Asia/Kolkata', 'Sat 2026-01-03 05:00'],
    ['2026-01-01T00:00:00Z', 'America/New_York', 'Wed 2025-12-31 19:00'],
    ['2026-01-02T23:00:00Z', 'Europe/Berlin', 'Sat 2026-01-03 00:00'], // never 24:00
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', 'Sun 2026-10-25 02:30'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', 'Sun 2026-10-25 02:30'], // the hour that comes twice
    ['2026-01-02T12:00:00Z', 'Mars/Olympus', 'Fri 2026-01-02 12:00 UTC']
  ];
  for (const [at, zone, expected] of cases) {
    test(`${at} in ${zone}`, () => assert.equal(onClock(at, zone), expected));
  }
});

describe('how the runs of a schedule wait', () => {
  const cases: [number, boolean, string][] = [
    [0, false, ''],
    [0, true, 'may make way'],
    [1000, false, '1000'],
    [-1, true, '-1, may make way']
  ];
  for (const [priority, isPreemptible, expected] of cases) {
    test(`${priority} ${isPreemptible}`, () =>
      assert.equal(rank({ priority, is_preemptible: isPreemptible }, trans), expected));
  }
});

test('what is often wanted is a cron expression of five fields, each in its own words', () => {
  const all = common(trans);
  all.forEach(([cron]) => assert.equal(cron.split(' ').length, 5));
  assert.equal(new Set(all.map(([, words]) => words)).size, all.length);
});
