import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page, named, until } from '../../__tests__/page';
import { run, summary, task } from '../../__tests__/samples';
import { exactly } from '../../format';
import { STATES, word } from '../../states';
import type { Artifact, RunSummary, State, TaskRun } from '../../types';
import { Artifacts, shape } from '../artifacts';
import { RunRow } from '../runRow';
import { StateBar, StateMark } from '../state';
import { TaskTable } from '../taskTable';
import { Values } from '../values';

const now = Date.parse('2026-01-01T12:05:00Z');
let page: Page;
beforeEach(() => {
  page = new Page();
});
afterEach(() => page.close());
const texts = (selector: string): string[] => page.all(selector).map(one => one.textContent);

describe('a run in the history', () => {
  let opened: string[];
  beforeEach(() => {
    opened = [];
  });
  const show = (changes: Partial<RunSummary>, when = now): Promise<void> =>
    page.show(
      <RunRow run={summary(changes)} now={when} onOpen={({ run_id }) => opened.push(run_id)} />
    );

  for (const state of STATES) {
    test(`that is ${state} says so in words`, async () => {
      await show({ state });
      assert.equal(page.all('[role="img"]')[0].getAttribute('aria-label'), word(state));
    });
  }

  test('a click opens it', async () => {
    await show({ run_id: 'r/1' });
    await page.click(page.one('button'));
    assert.deepEqual(opened, ['r/1']);
  });

  test('the tooltip tells which, when, how far and why', async () => {
    await show({ state: 'failed', task_states: { failed: 1, cached: 2 }, message: 'train failed' });
    assert.deepEqual(page.one('button').getAttribute('title')!.split('\n'), [
      '20260101-120000-abcdef',
      exactly('2026-01-01T12:00:00Z'),
      '1 failed, 2 cached',
      'train failed'
    ]);
  });

  const times: [string, Partial<RunSummary>, string][] = [
    ['what runs grows', {}, '4m 59s'],
    ['what has not begun has none', { state: 'queued', started_at: null }, ''],
    ['what is over stays', { state: 'succeeded', duration_seconds: 7.25 }, '7.3s'],
    ['what is over without a time', { state: 'cancelled', duration_seconds: null }, ''],
    ['what nobody drives', { is_driven: false }, 'interrupted'],
    [
      'what is over needs no driver',
      { state: 'failed', is_driven: false, duration_seconds: 1 },
      '1.0s'
    ]
  ];
  for (const [what, changes, expected] of times) {
    test(`its time: ${what}`, async () => {
      await show(changes);
      assert.equal(texts('.jp-mlops-Row-second .jp-mlops-Row-when')[0], expected);
    });
  }

  test('begun in the future, by a clock that is ahead, it is from just now', async () => {
    await show({}, Date.parse('2026-01-01T11:00:00Z'));
    assert.deepEqual(texts('.jp-mlops-Row-when'), ['just now', '0.0s']);
  });

  test('what waits says why, what runs does not', async () => {
    const message = 'waits for 1 gpu <of 4>';
    await show({ state: 'queued', message });
    assert.deepEqual(texts('.jp-mlops-Row-waits'), [message]);
    await show({ state: 'running', message });
    assert.deepEqual(texts('.jp-mlops-Row-waits'), []);
  });

  test('a name is text', async () => {
    await show({ pipeline: '<b>flüge</b>' });
    assert.deepEqual(texts('.jp-mlops-name'), ['<b>flüge</b>']);
    assert.equal(page.all('b').length, 0);
  });
});

describe('a state', () => {
  test('has its word in the tooltip, or beside it', async () => {
    await page.show(<StateMark state="upstream_failed" />);
    assert.equal(page.one('.jp-mlops-State').getAttribute('title'), 'upstream failed');
    assert.equal(page.text, '');
    await page.show(<StateMark state="upstream_failed" isNamed />);
    assert.equal(page.text, 'upstream failed');
  });

  test('no two have the same sign', async () => {
    const signs = new Set<string>();
    for (const state of STATES) {
      await page.show(<StateMark state={state} />);
      signs.add(page.one('.jp-mlops-State-sign').getAttribute('d')!);
    }
    assert.equal(signs.size, STATES.length);
  });

  const bars: [string, Partial<Record<State, number>>, string[], string | null][] = [
    ['of nothing says nothing', {}, [], null],
    ['of none of a state', { failed: 0 }, [], null],
    [
      'what is done stands left, what is to come right',
      { queued: 4, running: 1, failed: 2, skipped: 3, succeeded: 5 },
      ['succeeded 5', 'skipped 3', 'failed 2', 'running 1', 'queued 4'],
      '1 running, 4 queued, 2 failed, 5 succeeded, 3 skipped'
    ],
    ['of thousands', { cached: 10_000 }, ['cached 10000'], '10000 cached']
  ];
  for (const [what, states, expected, label] of bars) {
    test(`a bar ${what}`, async () => {
      await page.show(<StateBar states={states} />);
      const bar = page.one('.jp-mlops-StateBar');
      const parts = bar.children.map(
        part => `${part.className.replace('jp-mod-', '')} ${part.style.flexGrow}`
      );
      assert.deepEqual(parts, expected);
      assert.equal(bar.getAttribute('aria-label'), label);
      assert.equal(bar.getAttribute('role'), label && 'img');
    });
  }
});

describe('the tasks as a table', () => {
  let chosen: string[];
  beforeEach(() => {
    chosen = [];
  });
  const show = (tasks: TaskRun[], selected = ''): Promise<void> =>
    page.show(
      <TaskTable
        run={run(tasks)}
        now={now}
        selected={selected}
        onSelect={one => chosen.push(one)}
        trans={{ __: text => text }}
      />
    );
  const cells = (): string[][] =>
    page.all('tbody tr').map(row => row.querySelectorAll('td').map(cell => cell.textContent));

  test('each with its state, time, memory and results', async () => {
    await show([
      task('load', {
        state: 'succeeded',
        duration_seconds: 75,
        peak_memory_bytes: 3 * 2 ** 30,
        cpu_utilization: 0.37,
        cpus: 4,
        results: { rows: 12345, path: 'a/b', share: 1 / 3 }
      }),
      task('fit', { state: 'running', started_at: '2026-01-01T12:04:50Z', peak_memory_bytes: 0 }),
      task('late')
    ]);
    assert.deepEqual(texts('th'), ['Task', 'State', 'Time', 'CPU', 'Memory', 'Results']);
    assert.deepEqual(cells(), [
      [
        'load',
        'succeeded',
        '1m 15s',
        '37 % of 4',
        '3.0 GiB',
        'rows 12345 · path a/b · share 0.333333'
      ],
      ['fit', 'running', '10s', '', '', ''],
      ['late', 'queued', '', '', '', '']
    ]);
  });

  test('results of other kinds are told as JSON, and markup stays text', async () => {
    await show([task('a', { results: { none: null, list: [1, 'x'], html: '<b>' } })]);
    assert.equal(cells()[0][5], 'none null · list [1,"x"] · html <b>');
    assert.equal(page.all('b').length, 0);
  });

  test('a click anywhere in a row chooses once, and the name is a button for the keyboard', async () => {
    await show([task('load'), task('fit')], 'fit');
    await page.click('load');
    await page.click(page.all('tbody tr')[1].querySelectorAll('td')[3]);
    assert.deepEqual(chosen, ['load', 'fit']);
    assert.match(page.one('tr.jp-mod-selected').textContent, /^fit/);
  });

  test('of hundreds is drawn a part at a time', async () => {
    await show(Array.from({ length: 250 }, (_, index) => task(`t${index}`)));
    assert.ok(page.all('tbody tr').length < 250);
    await until(() => page.all('tbody tr').length === 250);
  });

  test('of none has a head alone', async () => {
    await show([]);
    assert.deepEqual(cells(), []);
    assert.equal(page.all('th').length, 6);
  });
});

describe('values', () => {
  test('are told by name, in short, and whole in the tooltip', async () => {
    const model = 'blob://sha256/0123456789abcdef0123/model.pkl';
    await page.show(<Values values={{ week: 20, model, share: 0.1 + 0.2, none: null }} none="-" />);
    assert.deepEqual(texts('dt'), ['week', 'model', 'share', 'none']);
    assert.deepEqual(texts('dd'), ['20', 'model.pkl · 01234567', '0.3', 'null']);
    assert.equal(page.all('dd span')[1].getAttribute('title'), model);
  });

  test('of nothing say so', async () => {
    await page.show(<Values values={{}} none="It takes nothing" />);
    assert.equal(page.text, 'It takes nothing');
  });
});

describe('artifacts', () => {
  const artifact = (changes: Partial<Artifact>): Artifact => ({
    name: 'train',
    reference: 'blob://sha256/0123/train.parquet',
    format: 'parquet',
    size_bytes: 2048,
    summary: {},
    created_at: '2026-01-01T12:00:00Z',
    ...changes
  });
  const shapes: [string, Record<string, unknown>, string][] = [
    ['nothing is known', {}, 'parquet'],
    ['no rows', { rows: 0, columns: [] }, 'parquet · 0 × 0'],
    ['columns by name', { rows: 2, columns: { a: 'int64', b: 'str' } }, 'parquet · 2 × 2'],
    ['a number of columns', { rows: 1_000_000, columns: 9 }, 'parquet · 1,000,000 × 9'],
    ['rows alone', { rows: 3 }, 'parquet · 3 rows'],
    ['rows that are no number', { rows: 'many' }, 'parquet · many'],
    ['something else', { type: 'Pipeline', steps: 3, deep: { x: 1 } }, 'parquet · Pipeline · 3'],
    ['something long', { type: 'x'.repeat(60) }, `parquet · ${'x'.repeat(39)}…`]
  ];
  for (const [what, about, expected] of shapes) {
    test(what, () => assert.equal(shape(artifact({ summary: about })), expected));
  }

  test('have their name, size and address', async () => {
    await page.show(
      <Artifacts artifacts={[artifact({}), artifact({ name: 'empty', size_bytes: 0 })]} />
    );
    assert.deepEqual(page.all('li').map(named), ['trainparquet2.0 KiB', 'emptyparquet0 B']);
    assert.equal(page.all('li')[0].getAttribute('title'), 'blob://sha256/0123/train.parquet');
  });
});
