import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page, named } from '../../__tests__/page';
import { run, task } from '../../__tests__/samples';
import type { Run, TaskRun } from '../../types';
import { Gantt, bars, ticks } from '../gantt';

const START = Date.parse('2026-01-01T12:00:00Z');
const at = (second: number): string => new Date(START + second * 1000).toISOString();
const now = START + 20_000;
const ran = (name: string, from: number, to: number | null, changes: Partial<TaskRun> = {}) =>
  task(name, {
    state: to === null ? 'running' : 'succeeded',
    started_at: at(from),
    finished_at: to === null ? null : at(to),
    ...changes
  });

let page: Page;
let chosen: string[];
beforeEach(() => {
  page = new Page();
  chosen = [];
});
afterEach(() => page.close());

const show = (of: Run, selected = ''): Promise<void> =>
  page.show(<Gantt run={of} now={now} selected={selected} onSelect={one => chosen.push(one)} />);
const names = (): string[] => page.all('button').map(named);

describe('the bars', () => {
  const shares = (tasks: TaskRun[], when = now): [string, number, number][] =>
    bars(run(tasks), when).bars.map(({ task, left, width }) => [task.task, left, width]);

  test('what runs ends now', () => {
    assert.deepEqual(shares([ran('a', 0, 5), ran('b', 5, null)]), [
      ['a', 0, 0.25],
      ['b', 0.25, 0.75]
    ]);
  });

  test('what was taken from the cache took no time, and what never began neither', () => {
    const tasks = [ran('a', 0, 1, { state: 'cached' }), task('b'), task('c', { state: 'skipped' })];
    assert.deepEqual(bars(run(tasks), now), { bars: [], seconds: 0 });
  });

  test('of tasks that began together the order of the pipeline decides', () => {
    const tasks = [ran('b', 0, 5, { position: 2 }), ran('a', 0, 3, { position: 1 })];
    assert.deepEqual(
      shares(tasks).map(([name]) => name),
      ['a', 'b']
    );
  });

  test('a clock that is behind makes no negative bars', () => {
    const [[, left, width]] = shares([ran('a', 0, null)], START - 60_000);
    assert.deepEqual([left, width], [0, 0]);
    for (const [, from, wide] of shares([ran('a', 0, 5), ran('b', 2, 1)])) {
      assert.ok(from >= 0 && wide >= 0 && from + wide <= 1);
    }
  });

  test('a task of no time has a place all the same', () => {
    const made = bars(run([ran('a', 0, 0)]), now);
    assert.equal(made.seconds, 0.001); // nothing is divided by zero
    assert.deepEqual(shares([ran('a', 0, 0)]), [['a', 0, 0]]);
  });
});

describe('the axis', () => {
  const rows: [number, number[]][] = [
    [0.001, [0]],
    [1, [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]],
    [6, [0, 1, 2, 3, 4, 5, 6]],
    [61, [0, 15, 30, 45, 60]],
    [3600, [0, 600, 1200, 1800, 2400, 3000, 3600]],
    [86_400, [0, 14_400, 28_800, 43_200, 57_600, 72_000, 86_400]]
  ];
  for (const [seconds, expected] of rows) {
    test(`of ${seconds} s`, () => assert.deepEqual(ticks(seconds), expected));
  }

  test('of weeks counts whole days', () => {
    for (const days of [4, 10, 45, 400]) {
      const marks = ticks(days * 86_400);
      assert.ok(marks.length <= 7);
      assert.ok(marks.every(mark => mark % 86_400 === 0));
    }
  });

  test('fewer marks where there is less room', () => {
    assert.deepEqual(ticks(60, 2), [0, 30, 60]);
    assert.deepEqual(ticks(60, 1), [0, 60]);
  });

  test('is not read out: each row says its time', async () => {
    await show(run([ran('a', 0, 20)]));
    const axis = page.one('.jp-mlops-Gantt-axis');
    assert.equal(axis.getAttribute('aria-hidden'), 'true');
    assert.equal(axis.textContent, '05s10s15s20s');
  });
});

describe('the timeline', () => {
  test('has a row for each task, first those that ran, by their starts', async () => {
    await show(
      run([task('late'), ran('b', 3, null), ran('a', 0, 3), task('no', { state: 'skipped' })])
    );
    assert.deepEqual(names(), ['a: succeeded, 3.0s', 'b: running, 17s', 'latequeued', 'noskipped']);
  });

  test('a click chooses, and the chosen one stands out', async () => {
    await show(run([ran('a', 0, 3), task('b')]), 'b');
    await page.click('a: succeeded, 3.0s');
    await page.click(page.all('button')[1]);
    assert.deepEqual(chosen, ['a', 'b']);
    assert.equal(page.one('.jp-mod-selected').textContent, 'bqueued');
  });

  test('the critical path is told when all is over, not before', async () => {
    const tasks = [ran('a', 0, 5, { is_critical: true }), ran('b', 0, 1)];
    await show(run(tasks));
    assert.doesNotMatch(page.html, /critical/);
    await show(run(tasks, { finished_at: at(5), critical_path: ['a'] }));
    assert.deepEqual(names(), ['a: succeeded, 5.0s, on the critical path', 'b: succeeded, 1.0s']);
    assert.match(page.text, /critical path: a$/);
  });

  test('of one task is its own critical path: nothing is said', async () => {
    const tasks = [ran('a', 0, 5, { is_critical: true })];
    await show(run(tasks, { finished_at: at(5), critical_path: ['a'] }));
    assert.equal(page.all('.jp-mlops-Gantt-legend').length, 0);
  });

  test('a time stands before the end where there is no room behind the bar', async () => {
    await show(run([ran('a', 0, 3), ran('c', 0, 16), ran('d', 0, 18), ran('b', 3, 20)]));
    const before = page.all('.jp-mlops-Gantt-time.jp-mod-before');
    assert.deepEqual(
      before.map(one => one.textContent),
      ['18s', '17s']
    );
  });

  test('before anything began there is no axis', async () => {
    await show(run([task('a'), task('b')]));
    assert.equal(page.all('.jp-mlops-Gantt-axis').length, 0);
    assert.deepEqual(names(), ['aqueued', 'bqueued']);
  });

  test('of no tasks is empty', async () => {
    await show(run([]));
    assert.equal(page.text, '');
  });

  test('names are text', async () => {
    await show(run([ran('<b>x</b>', 0, 1)]));
    assert.equal(page.all('b').length, 0);
    assert.match(page.text, /<b>x<\/b>/);
  });
});
