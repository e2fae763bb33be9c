import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { Ansi, overwritten, spans } from '../components/ansi';
import { shape } from '../components/artifacts';
import { Comparison } from '../components/compare';
import { Dag, bestDirection, edgePath } from '../components/dag';
import { Form, chosen, misfit } from '../components/form';
import { Gantt, bars, ticks } from '../components/gantt';
import { Failure, Pager, Problems } from '../components/pieces';
import { RunRow } from '../components/runRow';
import { StateBar } from '../components/state';
import { TaskTable } from '../components/taskTable';
import { ApiError } from '../api';
import { isInterrupted } from '../states';
import { byKey, byName, foremost, together } from '../tasks';
import type { Artifact } from '../types';
import { graph, parameter, problem, run, summary, task } from './samples';

const html = (element: ReactElement): string => renderToStaticMarkup(element);
const nothing = (): void => undefined;
const NOW = Date.parse('2026-01-01T12:00:20Z');
const at = (second: number): string =>
  new Date(Date.parse('2026-01-01T12:00:00Z') + second * 1000).toISOString();
const ran = (name: string, from: number, to: number, changes = {}): ReturnType<typeof task> =>
  task(name, {
    state: 'succeeded',
    started_at: at(from),
    finished_at: at(to),
    duration_seconds: to - from,
    ...changes
  });

describe('the graph', () => {
  const tasks = new Map([
    ['load', { state: 'succeeded' as const, detail: '2.0s' }],
    ['train', { state: 'running' as const, detail: 'cell 3/9' }]
  ]);

  test('tells each task and its state, by sign and by word', () => {
    const text = html(
      <Dag graph={graph(['load', 'train'])} label="flights" tasks={tasks} onSelect={nothing} />
    );
    assert.match(text, /aria-label="train, running, cell 3\/9"/);
    assert.match(text, /jp-mod-running/);
    assert.match(text, /role="button"/);
    assert.match(text, /jp-mlops-Dag-edge jp-mod-parameters jp-mod-active/); // the edge into what runs
  });

  test('names are text, whatever they hold', () => {
    const text = html(<Dag graph={graph(['<img src=x>'])} label="x" />);
    assert.ok(!text.includes('<img'));
    assert.match(text, /role="img"/); // nothing to choose without a handler
  });

  test('an edge leaves and arrives level, and stops before its head', () => {
    assert.equal(
      edgePath(
        [
          [0, 0],
          [100, 50]
        ],
        false
      ),
      'M0 0C47 0 47 50 94 50'
    );
    assert.equal(
      edgePath(
        [
          [0, 0],
          [50, 100]
        ],
        true
      ),
      'M0 0C0 47 50 47 50 94'
    );
    assert.match(
      edgePath(
        [
          [0, 0],
          [10, 5],
          [60, 5],
          [100, 0]
        ],
        false
      ),
      /C.*L60 5C/
    );
  });

  test('turns downward where it does not fit', () => {
    const chain = graph(['a', 'b', 'c', 'd', 'e', 'f']);
    assert.equal(bestDirection(chain, 2000), 'right');
    assert.equal(bestDirection(chain, 400), 'down');
    assert.equal(bestDirection(chain, 0), 'right'); // hidden: not known
    const wide = { ...chain, width: 300, nodes: chain.nodes.map(node => ({ ...node, x: 20 })) };
    assert.equal(bestDirection(wide, 200), 'right'); // it would be wider downward
  });
});

describe('what the graph tells', () => {
  test('cells while it runs, seconds afterwards, the critical path at the end', () => {
    const tasks = [
      ran('load', 0, 5, { is_critical: true }),
      task('train', { state: 'running', cell: 2, cells: 7, started_at: at(5) })
    ];
    const live = byKey(run(tasks), NOW);
    assert.deepEqual(live.get('load'), { state: 'succeeded', detail: '5.0s', isCritical: false });
    assert.equal(live.get('train')?.detail, 'cell 2/7');
    const over = byKey(run(tasks, { finished_at: at(20) }), NOW);
    assert.equal(over.get('load')?.isCritical, true);
  });

  test('instances of a matrix count together', () => {
    const tasks = [ran('fit[a]', 0, 5), task('fit[b]', { state: 'running' }), task('fit[c]')];
    assert.deepEqual(byName(run(tasks), NOW).get('fit'), { state: 'running', detail: '1/3' });
    assert.equal(together(['succeeded', 'cached']), 'succeeded');
    assert.equal(together(['succeeded', 'failed', 'upstream_failed']), 'failed');
    assert.equal(together(['queued', 'queued']), 'queued');
    assert.equal(together(['succeeded', 'queued']), 'running');
    assert.equal(together([]), 'queued');
  });

  test('what failed is looked at first', () => {
    assert.equal(foremost(run([task('a'), task('b', { state: 'failed' })])), 'b');
    assert.equal(foremost(run([task('a')])), '');
  });
});

describe('the timeline', () => {
  test('bars are shares of the whole, in the order of their starts', () => {
    const made = bars(run([ran('b', 5, 10), ran('a', 0, 5), task('c', { state: 'skipped' })]), NOW);
    assert.equal(made.seconds, 10);
    assert.deepEqual(
      made.bars.map(bar => [bar.task.task, bar.left, bar.width]),
      [
        ['a', 0, 0.5],
        ['b', 0.5, 0.5]
      ]
    );
    assert.deepEqual(bars(run([task('a')]), NOW), { bars: [], seconds: 0 });
  });

  test('round ticks, few of them', () => {
    assert.deepEqual(ticks(22), [0, 5, 10, 15, 20]);
    assert.deepEqual(ticks(0.9), [0, 0.2, 0.4, 0.6000000000000001, 0.8]);
    for (const seconds of [0.01, 1, 59, 61, 3600, 90_000, 1_000_000]) {
      assert.ok(ticks(seconds).length <= 7, `${seconds}: ${ticks(seconds)}`);
    }
  });

  test('says what is on the critical path, and what did not run', () => {
    const tasks = [
      ran('a', 0, 5, { is_critical: true }),
      ran('b', 0, 1),
      task('c', { state: 'skipped' })
    ];
    const over = run(tasks, { finished_at: at(5), critical_path: ['a'] });
    const text = html(<Gantt run={over} now={NOW} selected="a" onSelect={nothing} />);
    assert.match(text, /a: succeeded, 5.0s, on the critical path/);
    assert.match(text, /jp-mlops-Gantt-none">skipped/);
    assert.match(text, /critical path: a/);
  });
});

describe('the form', () => {
  const parameters = [
    parameter('week', { minimum: 2, maximum: 51, help: 'which week' }),
    parameter('mode', { type: 'str', choices: ['fast', 'slow'], default_text: 'fast' }),
    parameter('flag', { type: 'bool', default_text: 'True' }),
    parameter('names', { type: 'list', default_text: '["a"]' }),
    parameter('key', { type: 'str', default_text: '', is_secret: true, is_required: true })
  ];
  const form = (problems = [] as ReturnType<typeof problem>[], error = ''): string =>
    html(
      <Form
        parameters={parameters}
        problems={problems}
        error={error}
        isBusy={false}
        labels={{ submit: 'Run', force: 'Force', none: 'None', cancel: 'Cancel' }}
        onSubmit={nothing}
      />
    );

  test('each type has its control', () => {
    const text = form();
    assert.match(text, /type="number" inputMode="decimal" min="2" max="51" step="1"/);
    assert.match(text, /<option selected="">fast<\/option><option>slow<\/option>/);
    assert.match(text, /<option selected="">True<\/option><option>False<\/option>/);
    assert.match(text, /<textarea id="jp-mlops-field-names"/);
    assert.match(text, /placeholder="secret:NAME"/);
    assert.match(text, /aria-describedby="jp-mlops-field-week-help"/);
  });

  test('a problem stands at the field that it names, others above', () => {
    const text = form(
      [problem('is too late', { parameter: 'week' }), problem('train.ipynb is missing')],
      'no'
    );
    assert.match(text, /id="jp-mlops-field-week-wrong" role="alert">is too late/);
    assert.match(text, /jp-mlops-Problems.*train.ipynb is missing/);
    assert.match(text, /aria-invalid="true"/);
    assert.ok(!text.includes('>no<')); // the problems say it better
    assert.match(form([], 'out of disk'), /role="alert">out of disk/);
  });

  test('only what was chosen is sent', () => {
    assert.deepEqual(chosen(parameters, { week: '3', mode: 'slow', key: '' }), { mode: 'slow' });
  });

  const rows: [string, Partial<ReturnType<typeof parameter>>, string][] = [
    ['', { is_required: true }, 'is required'],
    ['', { is_required: true, type: 'str' }, ''],
    ['', {}, ''],
    ['1.5', {}, 'must be a whole number'],
    ['x', { type: 'float' }, 'must be a number'],
    ['1', { minimum: 2 }, 'must be at least 2'],
    ['60', { maximum: 51 }, 'must be at most 51'],
    ['None', { is_optional: true }, ''],
    ['1e3', {}, ''],
    ['anything', { type: 'date' }, '']
  ];
  for (const [text, changes, expected] of rows) {
    test(`${JSON.stringify(text)} for ${JSON.stringify(changes)}`, () =>
      assert.equal(misfit(parameter('x', changes), text), expected));
  }
});

describe('rows and tables', () => {
  test('a run in the history tells its state in words too', () => {
    const text = html(
      <ul>
        <RunRow
          run={summary({ task_states: { succeeded: 3, failed: 1 } })}
          now={NOW}
          onOpen={nothing}
        />
      </ul>
    );
    assert.match(text, /aria-label="running"/);
    assert.match(text, /aria-label="1 failed, 3 succeeded"/);
    assert.match(text, /19s/); // it goes on
  });

  test('what is done stands left in the bar', () => {
    const text = html(<StateBar states={{ queued: 1, succeeded: 2, failed: 1 }} />);
    assert.ok(text.indexOf('jp-mod-succeeded') < text.indexOf('jp-mod-failed'));
    assert.ok(text.indexOf('jp-mod-failed') < text.indexOf('jp-mod-queued'));
  });

  test('tasks with their times and results', () => {
    const tasks = [ran('fit', 0, 5, { results: { auc: 0.8 }, peak_memory_bytes: 1024 * 1024 })];
    const text = html(
      <TaskTable
        run={run(tasks)}
        now={NOW}
        selected=""
        onSelect={nothing}
        trans={{ __: word => word }}
      />
    );
    assert.match(text, /auc 0.8/);
    assert.match(text, /1.0 MiB/);
  });

  test('a pager is there only where there is more', () => {
    const page = (total: number, offset = 0): string =>
      html(
        <Pager
          page={{ items: Array(50), total, limit: 50, offset }}
          labels={{ previous: 'Newer', next: 'Older' }}
          onTurn={nothing}
        />
      );
    assert.equal(page(50), '');
    assert.match(page(10_000, 50), /51–100 \/ 10,000/);
  });

  test('problems and failures have their cure', () => {
    assert.equal(html(<Problems problems={[]} />), '');
    const text = html(
      <Problems
        problems={[problem('no such task', { hint: 'did you mean fit', where: 'p.yaml:3' })]}
      />
    );
    assert.match(text, /p.yaml:3.*no such task.*did you mean fit/);
    assert.match(
      html(<Failure error={new ApiError(409, 'c', 'it is over', 'rerun it')} />),
      /it is over.*rerun it/
    );
  });

  test('a run is interrupted when nobody drives it, but not at its very beginning', () => {
    const queued = summary({ state: 'queued', is_driven: false, created_at: at(10) });
    assert.equal(isInterrupted(queued, NOW), false);
    assert.equal(isInterrupted(queued, NOW + 60_000), true);
    assert.equal(isInterrupted(summary({ is_driven: false }), NOW), true);
    assert.equal(isInterrupted(summary({ state: 'failed', is_driven: false }), NOW), false);
  });

  test('artifacts in short', () => {
    const artifact = (format: string, about: Record<string, unknown>): Artifact => ({
      name: 'a',
      reference: 'blob://x',
      format,
      size_bytes: 1,
      summary: about,
      created_at: at(0)
    });
    assert.equal(
      shape(artifact('parquet', { rows: 12_345, columns: ['a', 'b'] })),
      'parquet · 12,345 × 2'
    );
    assert.equal(shape(artifact('parquet', { rows: 5 })), 'parquet · 5 rows');
    assert.equal(shape(artifact('pkl', { type: 'Pipeline' })), 'pkl · Pipeline');
  });
});

describe('a terminal’s text', () => {
  test('colors and bold are kept, the rest of the sequences is dropped', () => {
    assert.deepEqual(spans('a\x1b[1;31mred\x1b[0m\x1b[2Kb'), [
      { text: 'a', color: -1, isBold: false },
      { text: 'red', color: 1, isBold: true },
      { text: 'b', color: -1, isBold: false }
    ]);
    assert.deepEqual(
      spans('\x1b[38;5;196mx\x1b[39my').map(span => span.color),
      [-1, -1]
    );
  });

  test('nothing in it is HTML', () => {
    assert.match(html(<Ansi text="<script>alert(1)</script>" />), /&lt;script&gt;/);
  });

  test('a progress bar shows its last state', () => {
    assert.equal(overwritten('10%\r20%\r30%\nnext\r\n'), '30%\nnext\n');
  });
});

test('a comparison marks what differs, and by how much', () => {
  const labels = {
    arguments: 'Arguments',
    tasks: 'Tasks',
    left: 'l',
    right: 'r',
    same: 'same',
    notebook: 'n',
    name: 'name',
    showNotebook: 'show'
  };
  const text = html(
    <Comparison
      task="fit"
      labels={labels}
      onTask={nothing}
      comparison={{
        left: summary(),
        right: summary(),
        arguments: [
          { name: 'week', left: 20, right: 21, is_same: false },
          { name: 'mode', left: 'a', right: 'a', is_same: true }
        ],
        tasks: [
          {
            task: 'fit',
            left_state: 'succeeded',
            right_state: 'failed',
            left_seconds: 1,
            right_seconds: 2,
            arguments: [],
            results: [{ name: 'auc', left: 0.7, right: null, is_same: false }],
            artifacts: [],
            is_same_notebook: false,
            why: ['code has changed']
          },
          {
            task: 'new',
            left_state: null,
            right_state: 'succeeded',
            left_seconds: null,
            right_seconds: 2,
            arguments: [],
            results: [],
            artifacts: [],
            is_same_notebook: false,
            why: []
          }
        ],
        notebook: {
          task: 'fit',
          cells: [
            {
              kind: 'changed',
              cell_type: 'code',
              left: 1,
              right: 1,
              source: ['-a', '+b', ' c'],
              outputs: []
            }
          ]
        }
      }}
    />
  );
  assert.match(text, /jp-mod-differs.*week/s);
  assert.match(text, /\+1</);
  assert.match(text, /code has changed/);
  assert.match(text, /jp-mod-added">\+b/);
  assert.equal(text.match(/>show</g)?.length, 1); // a task that only one of them has is not compared
});
