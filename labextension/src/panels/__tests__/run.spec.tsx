import { widen } from './browser';
import { at, type Element, later, Refusal, SILENCE, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { graph, run as samples, summary, task } from '../../__tests__/samples';
import type { Run, State, TaskRun } from '../../types';
import { create } from '../run';
import { detail, ended, failure, log } from './builders';

const bench = useBench();
const ID = summary().run_id;

const run = (tasks: TaskRun[] = [], changes: Partial<Run> = {}): Run =>
  samples(tasks, { started_at: at(-12), ...changes });
const over = (state: State, tasks: TaskRun[] = [], changes: Partial<Run> = {}): Run =>
  run(tasks, { state, is_driven: false, finished_at: at(0), duration_seconds: 12, ...changes });

async function show(told: Run, args: Record<string, string> = {}): Promise<void> {
  const { server } = bench();
  server.says(`GET runs/${ID}`, told);
  for (const one of told.tasks) {
    server.says(`GET runs/${ID}/tasks/${one.task}`, detail(one));
    server.says(`GET runs/${ID}/tasks/${one.task}/log`, log(`log of ${one.task}`));
  }
  await bench().show(create(bench().context, { runId: ID, ...args }));
}

const side = (): Element => bench().one('aside');
const nodes = (): Element[] => bench().all('[data-task]');

describe('the head of a run', () => {
  const heads: [what: string, Run, said: string, buttons: string[]][] = [
    ['queued', run([], { state: 'queued', created_at: at(-1) }), 'queued', ['Cancel']],
    ['running', run(), 'running', ['Cancel']],
    ['stopping', run([], { is_cancel_requested: true }), 'stopping…', []],
    ['interrupted', run([], { is_driven: false }), 'interrupted: nobody drives it', ['Resume']],
    ['failed', over('failed'), 'failed', ['Rerun failed', 'Rerun']],
    ['cancelled', over('cancelled'), 'cancelled', ['Rerun failed', 'Rerun']],
    [
      'cancelled on demand',
      over('cancelled', [], { is_cancel_requested: true }),
      'cancelled',
      ['Rerun failed', 'Rerun']
    ],
    ['succeeded', over('succeeded'), 'succeeded', ['Rerun']],
    [
      'just made, nobody drives it yet',
      run([], { state: 'queued', is_driven: false, created_at: at(-5) }),
      'queued',
      ['Cancel']
    ]
  ];
  for (const [what, told, said, buttons] of heads) {
    test(`of one that is ${what}`, async () => {
      await show(told);
      assert.equal(bench().one('.jp-mlops-Run-state').textContent, said);
      assert.deepEqual(
        bench()
          .one('.jp-mlops-Run-buttons')
          .querySelectorAll('button')
          .map(b => b.textContent),
        [...buttons, 'Compare…', 'Pipeline']
      );
    });
  }

  test('tells since when, how long, who, and its id', async () => {
    await show(over('succeeded', [ended('fit')], { started_at: at(-180), duration_seconds: 3725 }));
    assert.equal(bench().one('.jp-mlops-Run-facts').textContent, `3 min ago1h 02mada${ID}`);
  });

  test('counts the seconds while it runs', async () => {
    await show(run());
    const facts = (): string => bench().one('.jp-mlops-Run-facts').textContent;
    assert.match(facts(), /12s/);
    await bench().wait(2000);
    assert.match(facts(), /14s/);
  });

  test('has the message of the server, as text', async () => {
    await show(over('failed', [], { message: 'fit: <b>no</b> memory' }));
    assert.equal(bench().one('.jp-mlops-Run-message').textContent, 'fit: <b>no</b> memory');
  });

  test('leads to the pipeline only where there is one', async () => {
    await show(run([], { pipeline_path: null }));
    assert.ok(!bench().buttons.includes('Pipeline'));
  });

  test('leads to its pipeline and to a comparison', async () => {
    await show(over('succeeded'));
    await bench().click('Pipeline');
    await bench().click('Compare…');
    assert.deepEqual(bench().files, [['flights/pipeline.yaml', 'Pipeline Editor']]);
    assert.deepEqual(bench().opened, [['compare', { right: ID, pipeline: 'flights' }]]);
  });
});

describe('the deeds of a run', () => {
  const deeds: [button: string, Run, request: string, body: unknown, opens: boolean][] = [
    ['Cancel', run(), 'cancel', {}, false],
    ['Resume', run([], { is_driven: false }), 'resume', {}, false],
    ['Rerun failed', over('failed'), 'rerun', { from_failed: true }, true],
    ['Rerun', over('succeeded'), 'rerun', { from_failed: false }, true]
  ];
  for (const [button, told, request, body, opens] of deeds) {
    test(`${button} asks for it${opens ? ' and opens the new run' : ', and looks how it stands then'}`, async () => {
      await show(told);
      const answer = summary({ run_id: opens ? 'another' : ID });
      bench().server.says(`POST runs/${ID}/${request}`, answer);
      const before = bench().server.count(`GET runs/${ID}`);
      await bench().click(button);
      assert.deepEqual(bench().server.last, [`POST runs/${ID}/${request}`, body]);
      assert.deepEqual(
        bench().opened,
        opens ? [['run', { runId: 'another', title: 'flights' }]] : []
      );
      assert.equal(bench().server.count(`GET runs/${ID}`), before + 1);
    });
  }

  test('are not done twice while the first is under way', async () => {
    await show(run());
    const { answer, come } = later();
    bench().server.says(`POST runs/${ID}/cancel`, () => answer);
    await bench().click('Cancel');
    assert.ok(bench().button('Cancel').disabled);
    await bench().click('Cancel');
    assert.equal(bench().server.sent.length, 1);
    await bench().do(() => come(summary()));
    assert.ok(!bench().button('Cancel').disabled);
  });

  test('that the server refuses are told, and may be tried again', async () => {
    await show(over('failed'));
    bench().server.says(`POST runs/${ID}/rerun`, new Refusal(409, 'it runs again already', 'wait'));
    await bench().click('Rerun');
    assert.deepEqual(
      bench().reported.map(error => [error.message, (error as { hint?: string }).hint]),
      [['it runs again already', 'wait']]
    );
    assert.ok(!bench().button('Rerun').disabled);
    assert.deepEqual(bench().opened, []);
  });
});

describe('the tab of a run', () => {
  test('says that it loads, and what went wrong', async () => {
    const { answer, come } = later();
    bench().server.says(`GET runs/${ID}`, () => answer);
    await bench().show(create(bench().context, { runId: ID }));
    assert.equal(bench().one('[role=status]').textContent, 'Loading the run');
    await bench().do(() => come(new Refusal(404, `no run '${ID}'`, 'did you mean another')));
    assert.match(bench().one('[role=alert]').textContent, /no run.*did you mean another/);
    await bench().do(() => bench().server.says(`GET runs/${ID}`, run()));
    await bench().click('Try again');
    assert.equal(bench().one('h1').textContent, 'flights');
  });

  test('keeps what it shows while the server is away, and says so', async () => {
    await show(run([task('pull')]));
    bench().server.says(`GET runs/${ID}`, SILENCE).says('GET status', SILENCE);
    await bench().ring(['run'], [ID]);
    assert.equal(bench().one('.jp-mlops-Banner').textContent, 'Connection lost, trying again…');
    assert.equal(nodes().length, 1);
  });

  test('follows its own run, not others', async () => {
    await show(run([task('pull')]));
    await bench().ring(['run'], ['another']);
    assert.equal(bench().server.count(`GET runs/${ID}`), 1);
    bench().server.says(`GET runs/${ID}`, run([task('pull', { state: 'running', attempt: 1 })]));
    await bench().ring(['run'], [ID, 'another']);
    assert.match(nodes()[0].getAttribute('aria-label')!, /^pull, running/);
  });

  test('asks anew after a gap in the events, whoever they were of', async () => {
    await show(run());
    await bench().ring(['run'], ['another'], 1);
    assert.equal(bench().server.count(`GET runs/${ID}`), 2);
  });

  test('has a place for a run without tasks', async () => {
    await show(over('succeeded', [], { graph: graph([]) }));
    for (const view of ['Graph', 'Timeline', 'Tasks']) {
      await bench().click(view);
      assert.match(bench().text, /This run/, view);
    }
  });
});

describe('the views of a run', () => {
  const tasks = [
    ended('pull', { is_critical: true }),
    ended('fit', { state: 'cached', attempt: 0 }),
    task('deploy', { state: 'skipped', reason: 'the condition is false' })
  ];
  const views = (): (string | null)[] =>
    bench()
      .all('[role=tablist] button')
      .map(tab => `${tab.textContent} ${tab.getAttribute('aria-selected')}`);

  test('are three, of which one is shown', async () => {
    await show(over('succeeded', tasks));
    assert.deepEqual(views(), ['Graph true', 'Timeline false', 'Tasks false']);
    assert.equal(bench().all('.jp-mlops-Dag').length, 1);
    await bench().click('Timeline');
    assert.deepEqual(views(), ['Graph false', 'Timeline true', 'Tasks false']);
    assert.equal(bench().all('.jp-mlops-Dag').length, 0);
    assert.deepEqual(
      bench()
        .all('.jp-mlops-Gantt-row')
        .map(row => row.getAttribute('aria-label')),
      ['pull: succeeded, 5.0s, on the critical path', null, null]
    );
    await bench().click('Tasks');
    assert.deepEqual(bench().texts('tbody td button'), ['pull', 'fit', 'deploy']);
  });

  test('draw the graph with the state of each task', async () => {
    await show(over('succeeded', tasks));
    assert.deepEqual(
      nodes().map(node => node.getAttribute('aria-label')),
      ['pull, succeeded, 5.0s', 'fit, cached', 'deploy, skipped']
    );
    assert.match(nodes()[0].getAttribute('class')!, /jp-mod-critical/);
  });

  const picks: [view: string, pick: () => Element][] = [
    ['Graph', () => nodes()[1]],
    ['Timeline', () => bench().all('.jp-mlops-Gantt-row')[1]],
    ['Tasks', () => bench().all('tbody tr')[1]]
  ];
  for (const [view, pick] of picks) {
    test(`show a task beside, by a click in ${view}, and leave it by another`, async () => {
      await show(over('succeeded', tasks));
      await bench().click(view);
      await bench().click(pick());
      assert.equal(side().querySelector('h2')!.textContent, 'fit');
      await bench().click(pick());
      assert.equal(side().querySelector('h2')!.textContent, 'This run');
    });
  }

  test('draw a wide graph downward where it would not fit, asked for once', async () => {
    const many = Array.from({ length: 12 }, (_, i) => task(`t${i}`));
    const down = graph(['t0'], { direction: 'down' });
    await show(run(many));
    bench().server.says(`GET runs/${ID}`, (query: URLSearchParams) =>
      query.get('direction') === 'down' ? run([many[0]], { graph: down }) : run(many)
    );
    await bench().do(() => widen(bench().one('.jp-mlops-Dag').parentElement!, 800));
    await bench().ring(['run'], [ID]);
    const asked = bench()
      .server.queries(`GET runs/${ID}`)
      .map(query => query.direction);
    assert.equal(asked.filter(direction => direction === 'down').length, 1);
  });
});

describe('the task that is looked at first', () => {
  const failed = ended('fit', { state: 'failed', error: failure() });

  test('is the one that failed', async () => {
    await show(over('failed', [ended('pull'), failed]));
    assert.equal(side().querySelector('h2')!.textContent, 'fit');
    assert.equal(nodes()[1].getAttribute('aria-pressed'), 'true');
  });

  test('is the one that the tab was opened for', async () => {
    await show(over('failed', [ended('pull'), failed]), { task: 'pull' });
    assert.equal(side().querySelector('h2')!.textContent, 'pull');
  });

  test('is none, where nothing failed or when it was closed', async () => {
    await show(over('failed', [ended('pull'), failed]));
    await bench().click('Close');
    assert.equal(side().querySelector('h2')!.textContent, 'This run');
  });

  test('may be gone', async () => {
    bench().server.says(`GET runs/${ID}/tasks/gone`, new Refusal(404, 'no task'));
    await show(run([task('pull')]), { task: 'gone' });
    assert.equal(side().textContent, 'This run has no task gone.');
  });
});
