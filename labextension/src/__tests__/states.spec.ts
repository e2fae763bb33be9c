import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { ago, brief, bytes, duration, elapsed, exactly, plain, shorten } from '../format';
import { type ILanguage, speak, trans } from '../language';
import { STATES, STROKES, counted, isInterrupted, isLive, tally, word } from '../states';
import { byKey, byName, detail, foremost, together } from '../tasks';
import type { State, TaskRun } from '../types';
import { run, summary, task } from './samples';

const NOW = Date.parse('2026-01-01T12:00:20Z');
const at = (second: number): string => new Date(NOW + second * 1000).toISOString();

describe('states', () => {
  test('each has a word, a sign and a place in the order', () => {
    assert.deepEqual([...STATES].sort(), Object.keys(STROKES).sort());
    for (const state of STATES) {
      assert.match(word(state), /^[a-z]+( [a-z]+)?$/);
      assert.match(STROKES[state], /^M/);
    }
  });

  test('two go on by themselves', () => {
    assert.deepEqual(STATES.filter(isLive), ['running', 'queued']);
  });

  const tallies: [Partial<Record<State, number>>, string][] = [
    [{}, ''],
    [{ succeeded: 0 }, ''],
    [{ succeeded: 1 }, '1 succeeded'],
    [{ skipped: 1, upstream_failed: 2, failed: 1 }, '1 failed, 2 upstream failed, 1 skipped'],
    [{ cached: 2, running: 3 }, '3 running, 2 cached']
  ];
  for (const [states, expected] of tallies) {
    test(`counted: ${expected || 'nothing'}`, () => {
      assert.equal(tally(states), expected);
      assert.ok(counted(states).every(([, count]) => count > 0));
    });
  }

  const driven: [string, State, boolean, number, boolean][] = [
    ['somebody drives it', 'running', true, -3600, false],
    ['nobody drives it', 'running', false, -1, true],
    ['just made', 'queued', false, -29, false],
    ['made a while ago', 'queued', false, -30, true],
    ['made in the future, by a clock ahead', 'queued', false, 60, false],
    ['waiting in the queue of somebody', 'queued', true, -3600, false],
    ['over', 'succeeded', false, -3600, false],
    ['cancelled', 'cancelled', false, -3600, false]
  ];
  for (const [what, state, isDriven, since, expected] of driven) {
    test(`interrupted: ${what}`, () => {
      const one = summary({ state, is_driven: isDriven, created_at: at(since) });
      assert.equal(isInterrupted(one, NOW), expected);
    });
  }
});

describe('what is told of a task', () => {
  const rows: [string, Partial<TaskRun>, string][] = [
    ['waiting', {}, ''],
    ['running, before its first cell', { state: 'running', started_at: at(-3) }, '3.0s'],
    ['running its cells', { state: 'running', cell: 2, cells: 9, started_at: at(-3) }, 'cell 2/9'],
    ['running, not begun by any clock', { state: 'running' }, ''],
    ['running, begun by a clock ahead', { state: 'running', started_at: at(60) }, '0.0s'],
    ['done', { state: 'succeeded', duration_seconds: 65 }, '1m 05s'],
    ['failed at once', { state: 'failed', duration_seconds: 0 }, '0.0s'],
    ['cancelled before it began', { state: 'cancelled' }, ''],
    ['from the cache', { state: 'cached', duration_seconds: 3 }, ''],
    ['skipped', { state: 'skipped' }, ''],
    ['after one that failed', { state: 'upstream_failed' }, '']
  ];
  for (const [what, changes, expected] of rows) {
    test(what, () => assert.equal(detail(task('a', changes), NOW), expected));
  }

  test('the critical path is one only when all is over', () => {
    const tasks = [task('a', { state: 'succeeded', is_critical: true }), task('b')];
    const critical = (finished_at: string | null): (boolean | undefined)[] =>
      [...byKey(run(tasks, { finished_at }), NOW).values()].map(one => one.isCritical);
    assert.deepEqual(critical(null), [false, false]);
    assert.deepEqual(critical(at(0)), [true, false]);
  });

  test('instances are told by their own keys, or together by their name', () => {
    const tasks = [
      task('fit[a]', { state: 'succeeded', duration_seconds: 2 }),
      task('load', { state: 'cached' }),
      task('fit[b]', { state: 'failed', duration_seconds: 1 }),
      task('one[x]', { state: 'running', cell: 1, cells: 4, started_at: at(-1) })
    ];
    assert.deepEqual([...byKey(run(tasks), NOW).keys()], ['fit[a]', 'load', 'fit[b]', 'one[x]']);
    assert.deepEqual(
      [...byName(run(tasks), NOW)],
      [
        ['fit', { state: 'failed', detail: '2/2' }],
        ['load', { state: 'cached', detail: '' }],
        ['one', { state: 'running', detail: 'cell 1/4' }] // one alone is told as it is
      ]
    );
    assert.equal(byName(run([]), NOW).size, 0);
  });

  const shared: [State[], State][] = [
    [['running', 'failed'], 'running'],
    [['queued', 'cached'], 'running'],
    [['queued', 'failed'], 'running'],
    [['failed', 'cancelled', 'upstream_failed'], 'failed'],
    [['upstream_failed', 'cancelled', 'succeeded'], 'upstream_failed'],
    [['cancelled', 'succeeded'], 'cancelled'],
    [['cached', 'skipped', 'succeeded'], 'succeeded'],
    [['cached', 'skipped'], 'cached'],
    [['skipped'], 'skipped']
  ];
  for (const [states, expected] of shared) {
    test(`${states.join(', ')} are together ${expected}`, () => {
      assert.equal(together(states), expected);
      assert.equal(together([...states].reverse()), expected);
    });
  }

  test('the first that failed is looked at, not what failed because of it', () => {
    const tasks = [
      task('a', { state: 'upstream_failed' }),
      task('b', { state: 'failed' }),
      task('c', { state: 'failed' })
    ];
    assert.equal(foremost(run(tasks)), 'b');
    assert.equal(foremost(run([task('a', { state: 'running' })])), '');
    assert.equal(foremost(run([])), '');
  });
});

describe('numbers and times', () => {
  const durations: [number, string][] = [
    [0, '0.0s'],
    [9.949, '9.9s'],
    [9.95, '10s'],
    [59.5, '1m 00s'],
    [3599.4, '59m 59s'],
    [3599.6, '1h 00m'],
    [86_399, '23h 59m'],
    [86_400, '1d 0h'],
    [86_400 * 400, '400d 0h'],
    [Infinity, '']
  ];
  for (const [seconds, expected] of durations) {
    test(`${seconds} s are ${expected || 'not told'}`, () =>
      assert.equal(duration(seconds), expected));
  }

  const sizes: [number | undefined, string][] = [
    [undefined, ''],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [99.94 * 1024, '99.9 KiB'],
    [100 * 1024, '100 KiB'],
    [2 ** 40, '1.0 TiB'],
    [5000 * 2 ** 40, '5000 TiB'] // no larger unit is known
  ];
  for (const [count, expected] of sizes) {
    test(`${count} bytes are ${expected || 'not told'}`, () =>
      assert.equal(bytes(count), expected));
  }

  test('what ended before it began took no time', () => {
    assert.equal(elapsed(at(0), at(-5), NOW), 0);
    assert.equal(elapsed('', null, NOW), null);
    assert.equal(elapsed(undefined, at(0), NOW), null);
  });

  const noon = new Date(2026, 2, 1, 12, 0).getTime();
  const ages: [string, number, string][] = [
    ['a clock ahead', -3600, 'just now'],
    ['less than a minute', 44, 'just now'],
    ['a minute', 45, '1 min ago'],
    ['almost an hour', 3569, '59 min ago'],
    ['an hour', 3570, '1 h ago'],
    ['this morning', 12 * 3600, '12 h ago'],
    ['last night', 12 * 3600 + 60, 'yesterday 23:59'],
    ['all of yesterday', 36 * 3600, 'yesterday 00:00'],
    ['the day before, across months', 36 * 3600 + 60, '27 Feb 23:59'],
    ['last year', 61 * 86_400, '30 Dec 2025']
  ];
  for (const [what, seconds, expected] of ages) {
    test(`an age: ${what}`, () =>
      assert.equal(ago(new Date(noon - seconds * 1000).toISOString(), noon), expected));
  }

  test('an hour after midnight is still told in minutes where it is less', () => {
    const early = new Date(2026, 2, 1, 0, 10).getTime();
    assert.equal(ago(new Date(early - 20 * 60_000).toISOString(), early), '20 min ago');
  });

  test('nothing has no age and no time', () => {
    assert.deepEqual([ago(undefined, NOW), ago('', NOW), exactly(null)], ['', '', '']);
    assert.match(exactly('2026-01-01T12:00:00Z'), /2026/);
  });

  const values: [unknown, string][] = [
    [null, 'null'],
    [undefined, ''],
    ['', ''],
    [true, 'true'],
    [0, '0'],
    [-0.5, '-0.5'],
    [1e21, '1e+21'],
    [1.23456789, '1.23457'],
    [0.0000001234567, '1.23457e-7'],
    [[1, 'ä'], '[1,"ä"]'],
    [{}, '{}'],
    ['line\nline', 'line\nline']
  ];
  for (const [value, expected] of values) {
    test(`a value: ${JSON.stringify(value)}`, () => assert.equal(plain(value), expected));
  }

  const addresses: [string, string][] = [
    ['blob://sha256/0123456789ab/my file.csv', 'my file.csv · 01234567'],
    ['blob://sha256/0123456789ab', 'blob://sha256/0123456789ab'],
    ['blob://sha256/0123/a.csv', 'blob://sha256/0123/a.csv'],
    ['see blob://sha256/0123456789ab/a', 'see blob://sha256/0123456789ab/a'],
    ['s3://bucket/a.csv', 's3://bucket/a.csv']
  ];
  for (const [value, expected] of addresses) {
    test(`in short: ${value}`, () => assert.equal(brief(value), expected));
  }

  const cuts: [string, number, string][] = [
    ['', 3, ''],
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['ab cd', 4, 'ab…'], // no blank before it
    ['abcd', 1, 'a…'],
    ['abcd', 0, 'a…'],
    ['abcd', -5, 'a…']
  ];
  for (const [text, most, expected] of cuts) {
    test(`'${text}' in ${most}`, () => assert.equal(shorten(text, most), expected));
  }
});

describe('the language', () => {
  const english: ILanguage = { __: trans.__, _n: trans._n };
  afterEach(() =>
    speak({
      __: (text, ...values) => text.replace(/%(\d+)/g, (_, i) => String(values[Number(i) - 1])),
      _n: (one, many, count, ...values) =>
        (count === 1 ? one : many).replace(/%(\d+)/g, (_, i) => String([count, ...values][i - 1]))
    })
  );

  test('numbers and names are put where they belong, as text', () => {
    assert.equal(english.__('%2 of %1, %2', 'a', '$&'), '$& of a, $&');
    assert.equal(english.__('100 %'), '100 %');
    assert.deepEqual(
      [0, 1, 2].map(count => english._n('%1 task', '%1 tasks', count)),
      ['0 tasks', '1 task', '2 tasks']
    );
    assert.equal(english._n('%1 task of %2', '%1 tasks of %2', 3, 'fit'), '3 tasks of fit');
  });

  test('another one is spoken from the moment that it is chosen, everywhere', () => {
    const german: Record<string, string> = { running: 'läuft', '%1 min ago': 'vor %1 min' };
    speak({
      __: (text, ...values) => (german[text] ?? text).replace('%1', String(values[0])),
      _n: (_, many) => many
    });
    assert.equal(word('running'), 'läuft');
    assert.equal(tally({ running: 2 }), '2 läuft');
    assert.equal(ago(at(-120), NOW), 'vor 2 min');
    assert.equal(word('failed'), 'failed'); // what it does not know stays English
  });
});
