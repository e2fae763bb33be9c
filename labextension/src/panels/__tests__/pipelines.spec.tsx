import { at, type Element, later, Refusal, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parameter, problem, run, summary } from '../../__tests__/samples';
import type { Pipeline, PipelineSummary } from '../../types';
import { createPipelines } from '../pipelines';
import { defined, ended, listed, pipeline, pipelines, quotas } from './builders';

const bench = useBench();
const PATH = 'flights/pipeline.yaml';
const RUN_ID = summary().run_id;

async function show(items: PipelineSummary[], told: Pipeline = pipeline([])): Promise<void> {
  bench()
    .server.says('GET pipelines', pipelines(items))
    .says(`GET pipelines/${told.path}`, told)
    .says(`GET runs/${RUN_ID}`, run([ended('pull'), ended('fit')], { state: 'succeeded' }))
    .says('GET quotas', quotas({ is_set: false }));
  await bench().show(createPipelines(bench().context));
}

const two = (): PipelineSummary[] => [listed(), listed({ path: 'b.pipeline.yaml', name: 'b' })];
const queries = (): Record<string, string>[] => bench().server.queries('GET pipelines');
const item = (path = PATH): Element => bench().one(`[data-path="${path}"]`);

describe('the list of pipelines', () => {
  test('says that it looks for them, and how to write the first', async () => {
    const { answer, come } = later();
    bench().server.says('GET pipelines', () => answer);
    await bench().show(createPipelines(bench().context));
    assert.equal(bench().one('[role=status]').textContent, 'Looking for pipelines');
    await bench().do(() => come(pipelines([])));
    assert.match(bench().text, /No pipelines yet.*pipeline.yaml.*jupyter mlops init/s);
    assert.equal(bench().all('input').length, 0);
  });

  test('tells how the last run of each went', async () => {
    const cases: [PipelineSummary['last_run'], said: RegExp][] = [
      [null, /^7 tasks, never run$/],
      [
        summary({ state: 'succeeded', finished_at: at(-180), duration_seconds: 65 }),
        /^3 min ago · 1m 05s$/
      ],
      [summary({ state: 'failed', created_at: at(-60), duration_seconds: null }), /^1 min ago · $/],
      [summary({ state: 'running' }), /^$/],
      [summary({ state: 'running', is_driven: false }), /^interrupted$/]
    ];
    await show(
      cases.map(([last, _], i) => listed({ path: `${i}.yaml`, last_run: last, task_count: 7 }))
    );
    cases.forEach(([, said], i) =>
      assert.match(item(`${i}.yaml`).querySelector('.jp-mlops-Row-second')!.textContent, said)
    );
  });

  for (const [count, tasks] of [
    [0, '0 tasks, never run'],
    [1, '1 task, never run'],
    [500, '500 tasks, never run']
  ] as const) {
    test(`counts ${count} tasks`, async () => {
      await show([listed({ task_count: count }), ...two().slice(1)]);
      assert.equal(item().querySelector('.jp-mlops-Row-second')!.textContent, tasks);
    });
  }

  test('warns of mistakes, and has the path and the description in the tooltip', async () => {
    await show([
      listed({ error_count: 1, description: 'Late <flights>' }),
      listed({ path: 'b.yaml', error_count: 12 }),
      listed({ path: 'c.yaml' })
    ]);
    assert.deepEqual(bench().texts('.jp-mlops-Badge'), ['1 mistake', '12 mistakes']);
    const title = (path: string): string | null =>
      item(path).querySelector('.jp-mlops-Row-main')!.getAttribute('title');
    assert.equal(title(PATH), `${PATH}\nLate <flights>`);
    assert.equal(title('c.yaml'), 'c.yaml');
  });

  test('says that it did not look everywhere', async () => {
    bench().server.says('GET pipelines', pipelines(two(), { is_complete: false }));
    await bench().show(createPipelines(bench().context));
    assert.match(bench().text, /Some folders were not searched/);
  });

  test('has a field to search only where there are many, and keeps it while it is used', async () => {
    bench().server.says('GET pipelines', (query: URLSearchParams) =>
      query.get('search') ? pipelines([]) : pipelines(two(), { total: 9 })
    );
    await bench().show(createPipelines(bench().context));
    await bench().type('Search pipelines', 'none');
    await bench().wait(300);
    assert.match(bench().text, /Nothing is called so/);
    assert.equal(queries()[1].search, 'none');
    await bench().press(bench().field('Search pipelines'), 'Escape');
    await bench().wait(300);
    assert.equal(bench().all('.jp-mlops-Pipeline').length, 2);
  });

  test('comes a page at a time; a search begins at the first', async () => {
    bench().server.says('GET pipelines', (query: URLSearchParams) =>
      pipelines(two(), { total: 120, offset: Number(query.get('offset')) })
    );
    await bench().show(createPipelines(bench().context));
    await bench().click('Next page');
    assert.equal(queries()[1].offset, '50');
    await bench().type('Search pipelines', 'f');
    await bench().wait(300);
    const last = queries().pop()!;
    assert.deepEqual([last.search, last.offset], ['f', '0']);
  });

  test('tells what went wrong, and tries again', async () => {
    bench().server.says('GET pipelines', new Refusal(403, 'not yours', 'ask ada'));
    await bench().show(createPipelines(bench().context));
    assert.match(bench().one('[role=alert]').textContent, /not yours.*ask ada/);
    bench().server.says('GET pipelines', pipelines(two()));
    await bench().click('Try again');
    assert.equal(bench().all('.jp-mlops-Pipeline').length, 2);
  });

  test('is fetched anew when runs or pipelines change, and not for models', async () => {
    await show(two());
    for (const [kind, count] of [
      ['run', 2],
      ['model', 2],
      ['pipeline', 3]
    ] as const) {
      await bench().ring([kind]);
      assert.equal(bench().server.count('GET pipelines'), count, kind);
    }
  });
});

describe('a pipeline unfolds', () => {
  test('by a click, one at a time, and folds again', async () => {
    await show(two(), pipeline([], { description: 'Which <flights> are late' }));
    bench().server.says('GET pipelines/b.pipeline.yaml', pipeline([], { name: 'b' }));
    const rows = (): (string | null)[] =>
      bench()
        .all('.jp-mlops-Row-main')
        .map(row => row.getAttribute('aria-expanded'));
    assert.deepEqual(rows(), ['false', 'false']);
    await bench().click(bench().all('.jp-mlops-Row-main')[0]);
    assert.deepEqual(rows(), ['true', 'false']);
    assert.match(bench().text, /Which <flights> are late/);
    await bench().click(bench().all('.jp-mlops-Row-main')[1]);
    assert.deepEqual(rows(), ['false', 'true']);
    await bench().click(bench().all('.jp-mlops-Row-main')[1]);
    assert.deepEqual(rows(), ['false', 'false']);
  });

  test('by itself where it is the only one, and may be folded', async () => {
    await show([listed()]);
    assert.equal(bench().all('.jp-mlops-Pipeline-detail').length, 1);
    await bench().click(bench().one('.jp-mlops-Row-main'));
    assert.equal(bench().all('.jp-mlops-Pipeline-detail').length, 0);
  });

  test('from elsewhere in the page', async () => {
    await show(two());
    await bench().do(() => bench().navigation.showPipeline(PATH));
    assert.equal(item().querySelectorAll('.jp-mlops-Pipeline-detail').length, 1);
  });

  test('and is asked for in the direction that fits a sidebar', async () => {
    await show([listed()]);
    assert.deepEqual(bench().server.queries(`GET pipelines/${PATH}`), [{ direction: 'down' }]);
  });

  test('says that it is read, and what is wrong with it', async () => {
    const { answer, come } = later();
    bench()
      .server.says('GET pipelines', pipelines([listed()]))
      .says(`GET pipelines/${PATH}`, () => answer);
    await bench().show(createPipelines(bench().context));
    assert.equal(bench().one('[role=status]').textContent, `Reading ${PATH}`);
    await bench().do(() => come(new Refusal(404, 'no such pipeline', 'look in flights/')));
    assert.match(bench().one('[role=alert]').textContent, /no such pipeline.*look in flights/);
  });

  test('shows its mistakes, not its warnings', async () => {
    await show(
      [listed()],
      pipeline([], {
        problems: [
          problem('no notebook <x.ipynb>', { where: 'pipeline.yaml:3', hint: 'write it' }),
          problem('is never used', { severity: 'warning' })
        ]
      })
    );
    assert.deepEqual(bench().texts('.jp-mlops-Problems li'), [
      '✘pipeline.yaml:3no notebook <x.ipynb>write it'
    ]);
  });
});

describe('the buttons of a pipeline', () => {
  const opens: [button: string, kind: string, args: object][] = [
    ['Cost', 'cost', { path: PATH, title: 'flights' }],
    ['Image…', 'dockerize', { target: PATH }],
    ['Export…', 'export', { path: PATH }],
    ['Last run', 'run', { runId: RUN_ID, title: 'flights' }]
  ];
  for (const [button, kind, args] of opens) {
    test(`${button} opens a tab`, async () => {
      await show([listed({ last_run: summary({ state: 'succeeded' }) })]);
      await bench().click(button);
      assert.deepEqual(bench().opened, [[kind, args]]);
    });
  }

  for (const [button, factory] of [
    ['Edit', 'Pipeline Editor'],
    ['YAML', 'Editor']
  ]) {
    test(`${button} opens the file`, async () => {
      await show([listed()]);
      await bench().click(button);
      assert.deepEqual(bench().files, [[PATH, factory]]);
    });
  }

  test('tell of costs and of a last run only where there was one', async () => {
    await show([listed()]);
    const has = (name: string): boolean => bench().buttons.includes(name);
    assert.ok(has('Run…') && has('Export…') && !has('Cost') && !has('Last run'));
    assert.equal(bench().server.asked.filter(one => one.startsWith('GET runs/')).length, 0);
  });

  test('tell of no costs where the settings hide them', async () => {
    await show([listed({ last_run: summary() })]);
    assert.ok(bench().buttons.includes('Cost'));
    await bench().do(() => bench().preferences.read({ showCosts: false }));
    assert.ok(!bench().buttons.includes('Cost') && bench().buttons.includes('Last run'));
  });
});

describe('the picture of a pipeline', () => {
  const nodes = (): (string | null)[] =>
    bench()
      .all('[data-task]')
      .map(node => node.getAttribute('aria-label'));

  test('tells the states of the last run, and a click opens the task there', async () => {
    await show([listed({ last_run: summary({ state: 'succeeded' }) })], pipeline(['pull', 'fit']));
    assert.deepEqual(nodes(), ['pull, succeeded, 5.0s', 'fit, succeeded, 5.0s']);
    await bench().click(bench().one('[data-task=fit]'));
    assert.deepEqual(bench().opened, [['run', { runId: RUN_ID, title: 'flights', task: 'fit' }]]);
  });

  for (const key of ['Enter', ' ']) {
    test(`takes ${key === ' ' ? 'the space bar' : key} for a click`, async () => {
      await show([listed()], pipeline(['pull']));
      await bench().press(bench().one('[data-task=pull]'), key);
      assert.deepEqual(bench().files, [['flights/pull.ipynb']]);
    });
  }

  test('opens the notebook where nothing has run, unless it lies elsewhere', async () => {
    await show(
      [listed()],
      pipeline(['pull', 'far'], {
        tasks: [defined('pull'), defined('far', { notebook_path: null })]
      })
    );
    assert.deepEqual(nodes(), ['pull', 'far']);
    await bench().click(bench().one('[data-task=far]'));
    await bench().click(bench().one('[data-task=pull]'));
    assert.deepEqual(bench().files, [['flights/pull.ipynb']]);
  });

  test('counts the instances of a matrix together, and opens the first of them', async () => {
    await show([listed({ last_run: summary({ state: 'failed' }) })], pipeline(['train']));
    bench().server.says(
      `GET runs/${RUN_ID}`,
      run([ended('train[a]'), ended('train[b]', { state: 'failed' })], { state: 'failed' })
    );
    await bench().ring(['run'], [RUN_ID]);
    assert.deepEqual(nodes(), ['train, failed, 2/2']);
    await bench().click(bench().one('[data-task=train]'));
    assert.deepEqual(bench().opened[0][1], { runId: RUN_ID, title: 'flights', task: 'train[a]' });
  });

  test('is there only where there are tasks', async () => {
    await show([listed()], pipeline([]));
    assert.equal(bench().all('svg').length, 0);
  });

  test('does not ask for the run again when another one changed', async () => {
    await show([listed({ last_run: summary() })], pipeline(['pull']));
    const before = bench().server.count(`GET runs/${RUN_ID}`);
    await bench().ring(['run'], ['another']);
    assert.equal(bench().server.count(`GET runs/${RUN_ID}`), before);
    await bench().ring(['run'], [RUN_ID]);
    assert.equal(bench().server.count(`GET runs/${RUN_ID}`), before + 1);
  });
});

describe('the form of a pipeline', () => {
  const told = pipeline([], { parameters: [parameter('week')] });

  for (const [way, button] of [
    ['▶ beside its name', 'Run flights…'],
    ['the button below it', 'Run…']
  ]) {
    test(`opens by ${way}, and closes without a run`, async () => {
      await show([listed()], told);
      await bench().click(button);
      assert.equal(bench().field('week').value, '3');
      assert.ok(!bench().buttons.includes('Export…'));
      await bench().click('Cancel');
      assert.equal(bench().all('form').length, 0);
      assert.equal(bench().server.last, null);
    });
  }

  test('starts a run, closes, and opens its tab', async () => {
    await show([listed()], told);
    bench().server.says('POST runs', summary({ run_id: 'new' }));
    await bench().click('Run…');
    await bench().type('week', '21');
    await bench().click('Run');
    assert.deepEqual(bench().server.last, [
      'POST runs',
      { path: PATH, arguments: { week: '21' }, options: {} }
    ]);
    assert.deepEqual(bench().opened, [['run', { runId: 'new', title: 'flights' }]]);
    assert.equal(bench().all('form').length, 0);
  });
});
