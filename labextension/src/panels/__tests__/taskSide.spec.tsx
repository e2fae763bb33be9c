import { at, NOW, type Element, later, Refusal, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run as samples, summary, task } from '../../__tests__/samples';
import type { TaskDetail, TaskRun } from '../../types';
import { TaskSide } from '../taskSide';
import { attempt, detail, ended, failure, log } from './builders';

const bench = useBench();
const ID = summary().run_id;
const TASK = `runs/${ID}/tasks/fit`;

async function show(told: TaskRun, more: Partial<TaskDetail> = {}): Promise<void> {
  bench().server.says(`GET ${TASK}`, detail(told, more)).says(`GET ${TASK}/log`, log('epoch 1\n'));
  await bench().show(
    <TaskSide
      context={bench().context}
      run={samples([told])}
      task={told.task}
      now={NOW}
      onClose={() => bench().said.push('closed')}
    />
  );
}

const folds = (): string[] => bench().texts('summary');
const fold = (title: string): Element =>
  bench()
    .all('details')
    .find(one => one.querySelector('summary')!.textContent === title)!;

describe('beside a run, a task', () => {
  const tasks: [what: string, TaskRun, said: string][] = [
    ['queued', task('fit'), 'queued'],
    [
      'running',
      task('fit', { state: 'running', attempt: 1, started_at: at(-90) }),
      'running for 1m 30s'
    ],
    [
      'running, a cell of many',
      task('fit', { state: 'running', attempt: 2, started_at: at(-3), cell: 3, cells: 9 }),
      'running for 3.0s, cell 3 of 9, attempt 2'
    ],
    [
      'running, by a clock ahead of ours',
      task('fit', { state: 'running', attempt: 1, started_at: at(60) }),
      'running for 0.0s'
    ],
    ['succeeded', ended('fit'), 'succeeded in 5.0s'],
    [
      'succeeded at last',
      ended('fit', { attempt: 3, duration_seconds: 7265 }),
      'succeeded in 2h 01m, attempt 3'
    ],
    ['cached', task('fit', { state: 'cached' }), 'cached'],
    ['skipped', task('fit', { state: 'skipped' }), 'skipped'],
    ['cancelled', ended('fit', { state: 'cancelled', duration_seconds: 0 }), 'cancelled in 0.0s'],
    ['without its input', task('fit', { state: 'upstream_failed' }), 'upstream failed']
  ];
  for (const [what, told, said] of tasks) {
    test(`that is ${what}`, async () => {
      await show(told);
      assert.equal(bench().all('.jp-mlops-muted')[0].textContent, said);
      const hasLog = told.attempt > 0;
      assert.equal(folds().includes('Log'), hasLog);
      assert.equal(bench().server.count(`GET ${TASK}/log`), hasLog ? 1 : 0);
    });
  }

  test('is left by its button', async () => {
    await show(task('fit'));
    await bench().click('Close');
    assert.deepEqual(bench().said, ['closed']);
  });

  test('waits for the details, and does without them', async () => {
    const { answer, come } = later();
    const told = task('fit', { reason: 'kept back' });
    bench().server.says(`GET ${TASK}`, () => answer);
    await bench().show(
      <TaskSide
        context={bench().context}
        run={samples([told])}
        task="fit"
        now={NOW}
        onClose={() => undefined}
      />
    );
    assert.equal(bench().one('[role=status]').textContent, 'Loading');
    await bench().do(() => come(new Refusal(500, 'no')));
    assert.equal(bench().all('[role=status]').length, 0);
    assert.deepEqual(folds(), ['Execution']);
  });

  test('says why, each reason once', async () => {
    await show(task('fit', { state: 'skipped', reason: 'the condition is false' }), {
      why: ['when: auc > 0.9', 'when: auc > 0.9', 'auc is <0.8>']
    });
    assert.deepEqual(bench().texts('.jp-mlops-Why li'), ['when: auc > 0.9', 'auc is <0.8>']);
    assert.equal(bench().one('.jp-mlops-reason').textContent, 'the condition is false');
  });

  test('does not give its reason twice', async () => {
    await show(task('fit', { state: 'cached', reason: 'hit' }), { why: ['hit'] });
    assert.equal(bench().all('.jp-mlops-reason').length, 0);
  });

  test('has results, artifacts and arguments, where there are any', async () => {
    await show(ended('fit', { results: { auc: 0.8 }, arguments: { week: 20 } }), {
      artifacts: [
        {
          name: 'model',
          reference: 'blob://x',
          format: 'pkl',
          size_bytes: 2048,
          summary: { type: 'Pipeline' },
          created_at: at(0)
        }
      ]
    });
    assert.deepEqual(folds(), ['Log', 'Results', 'Artifacts1', 'Arguments', 'Execution']);
    assert.equal(fold('Artifacts1').querySelector('li')!.textContent, 'modelpkl · Pipeline2.0 KiB');
  });

  test('tells of its execution what is known', async () => {
    await show(
      ended('fit', {
        worker: 'w0 <gpu>',
        peak_memory_bytes: 3 * 2 ** 30,
        memory_utilization: 0.375,
        cpu_seconds: 75,
        cpus: 2,
        cpu_utilization: 0.5,
        gpu_utilization: 0.9,
        upstream: ['pull', 'join'],
        source_run_id: 'r0'
      }),
      { flops_at_most: { float32: 6e10, float64: 3.1e10 } }
    );
    const names = fold('Execution')
      .querySelectorAll('dt')
      .map(one => one.textContent);
    const values = fold('Execution')
      .querySelectorAll('dd')
      .map(one => one.textContent);
    assert.deepEqual(names, [
      'started',
      'finished',
      'worker',
      'memory, peak',
      'CPU time',
      'FLOPS, at most',
      'GPUs busy',
      'after',
      'executed in'
    ]);
    assert.deepEqual(values.slice(2), [
      'w0 <gpu>',
      '3.0 GiB, 38 % of what it asked for',
      '1m 15s, 50 % of 2',
      '31 GFLOPS in float64',
      '90 %',
      'pull, join',
      'r0'
    ]);
    await bench().click('r0');
    assert.deepEqual(bench().opened, [['run', { runId: 'r0', title: 'flights' }]]);
  });

  test('tells of no memory that was not measured', async () => {
    await show(ended('fit', { peak_memory_bytes: 0, finished_at: null }));
    assert.deepEqual(
      fold('Execution')
        .querySelectorAll('dt')
        .map(one => one.textContent),
      ['started']
    );
  });
});

describe('the attempts of a task', () => {
  test('are listed where there were several', async () => {
    await show(ended('fit', { attempt: 3 }), {
      attempts: [
        attempt(1, { state: 'lost', reason: 'its worker is gone', duration_seconds: 0 }),
        attempt(2, { state: 'failed', error: failure({ message: 'no <memory>' }) }),
        attempt(3)
      ]
    });
    assert.deepEqual(bench().texts('.jp-mlops-Attempts li'), [
      '1lost0.0sits worker is gone',
      '2failed2.0sno <memory>',
      '3succeeded2.0s'
    ]);
  });

  test('are not where there was one', async () => {
    await show(ended('fit'), { attempts: [attempt(1)] });
    assert.equal(bench().all('.jp-mlops-Attempts').length, 0);
  });
});

describe('the error of a task', () => {
  const errors: [what: string, Parameters<typeof failure>[0], message: string, hints: string[]][] =
    [
      ['with its name and cell', {}, 'ZeroDivisionError: division by zero', ['in cell 3']],
      [
        'whose message has the name',
        { message: 'ZeroDivisionError in <f>' },
        'ZeroDivisionError in <f>',
        ['in cell 3']
      ],
      ['whose message has the cell', { message: 'cell 3 failed', name: '' }, 'cell 3 failed', []],
      ['of cell 0', { cell: 0, name: '' }, 'division by zero', ['in cell 0']],
      [
        'of cell 3, where the message has cell 31',
        { message: 'cell 31 x', name: '' },
        'cell 31 x',
        ['in cell 3']
      ],
      [
        'with a hint',
        { hint: 'divide by one', cell: null },
        'ZeroDivisionError: division by zero',
        ['divide by one']
      ]
    ];
  for (const [what, changes, message, hints] of errors) {
    test(`is told, ${what}`, async () => {
      await show(ended('fit', { state: 'failed', reason: 'r', error: failure(changes) }), {
        why: ['it failed']
      });
      assert.equal(bench().one('.jp-mlops-Error-message').textContent, message);
      assert.deepEqual(bench().texts('.jp-mlops-hint'), hints);
      assert.ok(!folds().includes('Why') && !folds().includes('Traceback'));
      assert.equal(bench().all('.jp-mlops-reason').length, 0); // the error says it
    });
  }

  test('has its traceback, colored and never as HTML', async () => {
    const traceback = '\x1b[31mZeroDivisionError\x1b[0m: <img src=x onerror=alert(1)>';
    await show(ended('fit', { state: 'failed', error: failure({ traceback }) }));
    assert.equal(
      fold('Traceback').querySelector('pre')!.textContent,
      'ZeroDivisionError: <img src=x onerror=alert(1)>'
    );
    assert.equal(bench().one('.jp-mlops-ansi-1').textContent, 'ZeroDivisionError');
    assert.equal(bench().all('img').length, 0);
  });
});

describe('the notebook of a task', () => {
  test('opens as it was executed', async () => {
    await show(ended('fit', { has_notebook: true }));
    await bench().click('Executed notebook');
    assert.deepEqual(bench().opened, [['notebook', { runId: ID, task: 'fit' }]]);
  });

  test('opens as far as it is', async () => {
    await show(task('fit', { state: 'running', attempt: 1, has_notebook: true }));
    assert.ok(bench().buttons.includes('Notebook so far'));
  });

  test('opens in its source', async () => {
    await show(ended('fit', { notebook_path: 'flights/fit.ipynb' }));
    await bench().click('Source');
    assert.deepEqual(bench().files, [['flights/fit.ipynb']]);
    assert.ok(!bench().buttons.includes('Copy link'));
  });

  const copies: [what: string, write: (text: string) => Promise<void>, said: string][] = [
    ['is copied', async text => void copied.push(text), 'The link is copied.'],
    [
      'is shown where the browser forbids to copy',
      () => Promise.reject(new Error('no')),
      `http://host/mlops/view/${ID}/fit`
    ]
  ];
  const copied: string[] = [];
  for (const [what, writeText, said] of copies) {
    test(`has a link that ${what}`, async () => {
      Object.assign(globalThis.navigator, { clipboard: { writeText } });
      copied.length = 0;
      await show(ended('fit', { has_notebook: true }));
      await bench().click('Copy link');
      assert.deepEqual(bench().said, [said]);
      if (said.endsWith('copied.')) {
        assert.deepEqual(copied, [`http://host/mlops/view/${ID}/fit`]);
      }
    });
  }
});
