import { at, later, Refusal, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { summary } from '../../__tests__/samples';
import type { RunComparison, RunSummary } from '../../types';
import { create } from '../compare';
import { pageOf } from './builders';

const bench = useBench();
type Compared = RunComparison['tasks'][number];

const run = (id: string, changes: Partial<RunSummary> = {}): RunSummary =>
  summary({ run_id: id, state: 'succeeded', created_at: at(-120), ...changes });
const RUNS = [run('20260101-3'), run('20260101-2', { state: 'failed' }), run('20260101-1')];

const fit = (changes: Partial<Compared> = {}): Compared => ({
  task: 'fit',
  left_state: 'succeeded',
  right_state: 'succeeded',
  left_seconds: 5,
  right_seconds: 7,
  arguments: [],
  results: [],
  artifacts: [],
  is_same_notebook: false,
  why: [],
  ...changes
});
const compared = (changes: Partial<RunComparison> = {}): RunComparison => ({
  left: RUNS[1],
  right: RUNS[0],
  arguments: [],
  tasks: [fit()],
  notebook: null,
  ...changes
});

async function show(
  args: Record<string, string> = { right: RUNS[0].run_id },
  told: unknown = compared(),
  runs = RUNS
): Promise<void> {
  bench().server.says('GET runs', pageOf(runs)).says('GET compare', told);
  await bench().show(create(bench().context, { pipeline: 'flights', ...args }));
}

const asked = (): string[] =>
  bench()
    .server.queries('GET compare')
    .map(({ left, right, task }) => [left, right, task].filter(Boolean).join(' '));

describe('what is compared', () => {
  const first: [what: string, args: Record<string, string>, wanted: string][] = [
    ['a run with the one before it', { right: '20260101-3' }, '20260101-2 20260101-3'],
    ['the oldest with the one after it', { right: '20260101-1' }, '20260101-2 20260101-1'],
    [
      'the two that are named',
      { right: '20260101-3', left: '20260101-1' },
      '20260101-1 20260101-3'
    ],
    ['one that is not in the list any more', { right: '2020-9' }, '20260101-3 2020-9']
  ];
  for (const [what, args, wanted] of first) {
    test(`is ${what}`, async () => {
      await show(args);
      assert.deepEqual(asked(), [wanted]);
    });
  }

  test('is asked for among the runs of one pipeline', async () => {
    await show();
    assert.deepEqual(bench().server.queries('GET runs'), [{ pipeline: 'flights', limit: '200' }]);
  });

  test('is chosen at the head', async () => {
    await show();
    await bench().type('Before', '20260101-1');
    await bench().type('After', '20260101-2');
    assert.deepEqual(asked(), [
      '20260101-2 20260101-3',
      '20260101-1 20260101-3',
      '20260101-1 20260101-2'
    ]);
  });

  test('is told by age, state and number', async () => {
    await show();
    assert.deepEqual(
      bench()
        .field('After')
        .querySelectorAll('option')
        .map(one => one.textContent),
      ['2 min ago · succeeded · 3', '2 min ago · failed · 2', '2 min ago · succeeded · 1']
    );
    assert.equal(bench().field('Before').value, '20260101-2');
  });

  test('keeps a run in the choice that the list does not have', async () => {
    await show({ right: '2020-9' });
    assert.equal(bench().field('After').value, '2020-9');
  });

  for (const runs of [[], RUNS.slice(0, 1)]) {
    test(`needs two: not ${runs.length}`, async () => {
      await show(undefined, undefined, runs);
      assert.equal(bench().text, 'There is only one run of this pipeline yet');
      assert.deepEqual(asked(), []);
    });
  }
});

describe('a comparison', () => {
  test('says that it is made, and what went wrong', async () => {
    const { answer, come } = later();
    await show(undefined, () => answer);
    assert.equal(bench().one('[role=status]').textContent, 'Comparing');
    await bench().do(() => come(new Refusal(404, 'that run was deleted', 'choose another')));
    assert.match(bench().one('[role=alert]').textContent, /that run was deleted.*choose another/);
  });

  test('shows both sides of every task, and how long each took', async () => {
    const tasks = [fit(), fit({ task: 'new', left_state: null, left_seconds: null })];
    await show(undefined, compared({ tasks }));
    assert.deepEqual(
      bench()
        .all('.jp-mod-title')
        .map(row => row.textContent),
      ['fitsucceeded5.0ssucceeded7.0s', 'new–succeeded7.0s']
    );
  });

  test('counts the arguments that differ, and shows all', async () => {
    const given = [
      { name: 'week', left: 20, right: 21, is_same: false },
      { name: '<mode>', left: 'a', right: 'a', is_same: true },
      { name: 'rate', left: 0.5, right: 0.25, is_same: false },
      { name: 'gone', left: 0, right: null, is_same: false }
    ];
    await show(undefined, compared({ arguments: given }));
    assert.equal(bench().texts('summary')[0], 'Arguments3');
    assert.deepEqual(
      bench()
        .all('[role=row]')
        .map(row => row.childNodes.map(cell => cell.textContent)),
      [
        ['week', '20', '21+1'],
        ['<mode>', 'a', 'a'],
        ['rate', '0.5', '0.25−0.25'],
        ['gone', '0', '–']
      ]
    );
  });

  test('says why a task ran again, each reason once, and not what stands above', async () => {
    const why = ['code has changed', 'code has changed', 'argument week: 20 → 21'];
    await show(undefined, compared({ tasks: [fit({ why })] }));
    assert.deepEqual(bench().texts('.jp-mlops-Why li'), ['code has changed']);
  });
});

describe('the notebooks of a task', () => {
  const button = 'What differs in the notebook';
  const cell = (source: string[]): NonNullable<RunComparison['notebook']>['cells'][number] => ({
    kind: 'changed',
    cell_type: 'code',
    left: 1,
    right: 2,
    source,
    outputs: []
  });

  test('are compared when somebody asks, and folded away again', async () => {
    await show(undefined, (query: URLSearchParams) => {
      const task = query.get('task');
      return compared({ notebook: task ? { task, cells: [cell(['-a < b', '+a > b'])] } : null });
    });
    assert.equal(bench().button(button).getAttribute('aria-expanded'), 'false');
    await bench().click(button);
    assert.equal(asked()[1], '20260101-2 20260101-3 fit');
    assert.equal(bench().button(button).getAttribute('aria-expanded'), 'true');
    assert.deepEqual(bench().texts('.jp-mod-added'), ['+a > b\n']);
    assert.deepEqual(bench().texts('.jp-mod-removed'), ['-a < b\n']);
    await bench().click(button);
    assert.equal(bench().all('pre').length, 0);
  });

  test('may be the same but for what they do not show', async () => {
    await show(undefined, compared({ notebook: { task: 'fit', cells: [] } }));
    await bench().click(button);
    assert.match(bench().text, /Sources and outputs are the same/);
  });

  const without: [what: string, Partial<Compared>][] = [
    ['are the same', { is_same_notebook: true }],
    ['are not both there', { left_state: null }],
    ['were not executed', { right_state: 'skipped' }],
    ['are not executed yet', { right_state: 'running' }]
  ];
  for (const [what, changes] of without) {
    test(`are not compared where they ${what}`, async () => {
      await show(undefined, compared({ tasks: [fit(changes)] }));
      assert.ok(!bench().buttons.includes(button));
    });
  }
});
