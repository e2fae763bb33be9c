import { Page, during, named, until, value } from './page';
import { dialogs } from './lab';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { addToPipeline, nearestFirst } from '../addToPipeline';
import { Disconnected } from '../api';
import { EDITOR } from '../tokens';
import type { PipelineSummary } from '../types';
import { parameter, run, summary, task } from './samples';
import { type Answers, type ISurroundings, refused, surroundings } from './surroundings';

const pipeline = (path: string, name = 'flights'): PipelineSummary => ({
  path,
  name,
  description: '',
  task_count: 1,
  error_count: 0,
  workspace: null,
  last_run: null
});

describe('which pipeline is offered first', () => {
  const rows: [string, string[], string, string[]][] = [
    [
      'the one beside it',
      ['pipeline.yaml', 'a/pipeline.yaml'],
      'a/x.ipynb',
      ['a/pipeline.yaml', 'pipeline.yaml']
    ],
    [
      'the nearest above it',
      ['pipeline.yaml', 'a/b/pipeline.yaml', 'a/pipeline.yaml'],
      'a/b/c/x.ipynb',
      ['a/b/pipeline.yaml', 'a/pipeline.yaml', 'pipeline.yaml']
    ],
    [
      'never one of a folder whose name only begins like it',
      ['ab/pipeline.yaml', 'z/pipeline.yaml', 'a/pipeline.yaml'],
      'a/x.ipynb',
      ['a/pipeline.yaml', 'ab/pipeline.yaml', 'z/pipeline.yaml']
    ],
    [
      'by name, where all are as near',
      ['c.pipeline.yaml', 'b.pipeline.yaml'],
      'x.ipynb',
      ['b.pipeline.yaml', 'c.pipeline.yaml']
    ]
  ];
  for (const [what, paths, notebook, expected] of rows) {
    test(what, () => {
      const given = paths.map(path => pipeline(path));
      assert.deepEqual(
        nearestFirst(given, notebook).map(({ path }) => path),
        expected
      );
      assert.deepEqual(
        given.map(({ path }) => path),
        paths
      ); // what was given is left as it was
    });
  }
});

describe('the question', () => {
  const TEXT = 'name: flights\nparameters:\n  week: 3\ntasks:\n  load: {notebook: load.ipynb}\n';
  const PATH = 'flights/pipeline.yaml';
  let page: Page;
  let around: ISurroundings;
  let done: Promise<void>;
  let answers: Answers;

  beforeEach(() => {
    page = new Page();
    answers = {
      'GET /pipelines': { items: [pipeline('other.pipeline.yaml', 'other'), pipeline(PATH)] },
      [`GET /pipelines/${PATH}`]: { name: 'flights', text: TEXT, digest: 'd1' },
      'GET /notebooks/flights/fit.ipynb/parameters': {
        parameters: [parameter('week'), parameter('rows'), parameter('depth')]
      },
      'GET /runs': { items: [summary({ run_id: 'r9' })] },
      'GET /runs/r9': run([task('load', { results: { rows: 5 } })])
    };
    around = surroundings({}, answers);
    dialogs.length = 0;
  });
  afterEach(async () => {
    await page.close();
    around.dispose();
  });

  const ask = async (): Promise<void> => {
    done = addToPipeline(around.context, 'flights/fit.ipynb');
    await until(() => dialogs.length > 0);
    await page.show(dialogs[0].options.body.element);
  };
  const saved = (): { text: string; digest: string } =>
    around.asked.find(([place]) => place === `PUT /pipelines/${PATH}`)?.[1] as never;

  test('names the notebook, and offers the nearest pipeline', async () => {
    await ask();
    assert.equal(dialogs[0].options.title, 'Add fit.ipynb to a pipeline');
    assert.equal(value(page.field('Pipeline')), PATH);
    assert.deepEqual(page.all('option').map(named), [
      'flights (flights/pipeline.yaml)',
      'other (other.pipeline.yaml)'
    ]);
  });

  test('makes a task of it, wired by the names of parameters and results', async () => {
    await ask();
    await page.click('Add');
    await until(() => !dialogs[0].isOpen);
    const { text, digest } = saved();
    assert.ok(text.startsWith(TEXT.slice(0, 20)));
    assert.match(text, /fit\.ipynb/);
    assert.match(text, /week: \$\{params\.week\}/);
    assert.match(text, /rows: \$\{tasks\.load\.results\.rows\}/);
    assert.doesNotMatch(text, /depth/); // nothing gives it
    assert.equal(digest, 'd1'); // whoever changed it meanwhile is not overwritten
    assert.deepEqual(around.said, [
      'fit is a task of flights/pipeline.yaml now; it takes week, rows'
    ]);
    assert.deepEqual(around.files, [[PATH, EDITOR]]);
    await done;
  });

  test('of a pipeline that never ran, and a notebook that takes nothing, it is only added', async () => {
    answers['GET /runs'] = { items: [] };
    answers['GET /notebooks/flights/fit.ipynb/parameters'] = { parameters: [] };
    await ask();
    await page.click('Add');
    await until(() => !dialogs[0].isOpen);
    assert.deepEqual(around.said, ['fit is a task of flights/pipeline.yaml now']);
    assert.ok(!around.asked.some(([place]) => place.startsWith('GET /runs/')));
  });

  test('results of an instance of a matrix are no results of a task', async () => {
    answers['GET /runs/r9'] = run([task('load[a]', { results: { rows: 5 } })]);
    await ask();
    await page.click('Add');
    await until(() => !dialogs[0].isOpen);
    assert.doesNotMatch(saved().text, /rows/);
  });

  test('another pipeline may be chosen', async () => {
    answers['GET /pipelines/other.pipeline.yaml'] = { name: 'other', text: TEXT, digest: 'd2' };
    await ask();
    await page.type('Pipeline', 'other.pipeline.yaml');
    await page.click('Add');
    await until(() => !dialogs[0].isOpen);
    assert.deepEqual(around.files, [['other.pipeline.yaml', EDITOR]]);
  });

  test('what the server refuses is told with its cure, and can be tried again', async () => {
    answers[`PUT /pipelines/${PATH}`] = () => refused('conflict', 'it was changed', 'look at it');
    await ask();
    await page.click('Add');
    await until(() => page.all('[role="alert"]').length > 0);
    assert.equal(page.one('[role="alert"]').textContent, 'it was changedlook at it');
    assert.equal(dialogs[0].isOpen, true);
    assert.deepEqual([around.said, around.files], [[], []]);
    delete answers[`PUT /pipelines/${PATH}`];
    await page.click('Add');
    await until(() => !dialogs[0].isOpen);
  });

  test('a server that is gone is a lost connection', async () => {
    answers[`PUT /pipelines/${PATH}`] = new TypeError('fetch failed');
    await ask();
    await page.click('Add');
    await until(() => page.all('[role="alert"]').length > 0);
    assert.equal(page.one('[role="alert"]').textContent, new Disconnected().message);
  });

  test('while it is added it is not added again', async () => {
    let go = (_: unknown): void => undefined;
    answers[`PUT /pipelines/${PATH}`] = () => new Promise(resolve => (go = resolve));
    await ask();
    await page.click('Add');
    await until(() => saved() !== undefined);
    assert.ok(page.button('Add').disabled);
    await during(() => go({}));
    await until(() => !dialogs[0].isOpen);
    assert.equal(around.said.length, 1);
  });

  test('can be left', async () => {
    await ask();
    await page.click('Cancel');
    await done;
    assert.equal(saved(), undefined);
  });

  test('is not asked where there is no pipeline', async () => {
    answers['GET /pipelines'] = { items: [] };
    await assert.rejects(
      addToPipeline(around.context, 'fit.ipynb'),
      /There is no pipeline yet.*jupyter mlops init/
    );
    assert.deepEqual(dialogs, []);
  });
});
