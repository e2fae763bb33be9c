import { page } from './browser';
import { Refusal, SILENCE, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { summary } from '../../__tests__/samples';
import { SECTIONS } from '../../sections';
import { createPanel } from '../frame';
import { create as createNotebook } from '../notebook';
import { RunningItem } from '../running';
import { pageOf, pipelines } from './builders';

const bench = useBench();
const NAMES = ['Pipelines', 'Runs', 'Schedules', 'Models', 'Features', 'Deployments', 'Compute'];

async function show(): Promise<void> {
  for (const { id } of SECTIONS) {
    bench().server.says(`GET ${id}`, new Refusal(500, `${id} are shown`));
  }
  bench()
    .server.says('GET pipelines', pipelines([]))
    .says('GET units', { items: [] })
    .says('GET queue', { items: [], total: 0, waiting: 0 })
    .says('GET quotas', { is_set: false, user_name: '', group_name: '', queues: [], limits: [] });
  const panel = createPanel(bench().context) as unknown as { element: React.ReactElement };
  await bench().show(panel.element);
}

const tabs = (): string[] =>
  bench()
    .all('[role=tab]')
    .filter(tab => tab.getAttribute('aria-selected') === 'true')
    .map(tab => tab.textContent);

describe('the panel', () => {
  test('is a region of JupyterLab that has a name', () => {
    const panel = createPanel(bench().context) as unknown as {
      attributes: object;
      id: string;
      classes: string[];
    };
    assert.deepEqual(panel.attributes, { role: 'region', 'aria-label': 'MLOps' });
    assert.equal(panel.id, 'jupyter-mlops-panel');
    assert.deepEqual(panel.classes, ['jp-mlops', 'jp-mlops-Panel']);
  });

  test('has a tab for each section, in their order, of which one is shown', async () => {
    await show();
    assert.deepEqual(bench().texts('[role=tab]'), NAMES);
    assert.deepEqual(tabs(), ['Pipelines']);
    assert.equal(
      bench().one('[role=tabpanel]').getAttribute('aria-labelledby'),
      'jp-mlops-tab-pipelines'
    );
    assert.match(bench().text, /No pipelines yet/);
  });

  for (const name of NAMES) {
    test(`shows ${name} by a click, and only that`, async () => {
      await show();
      await bench().click(name);
      assert.deepEqual(tabs(), [name]);
      assert.equal(bench().all('[role=tabpanel]').length, 1);
      assert.equal(bench().navigation.section, name.toLowerCase());
      const id = `jp-mlops-tab-${name.toLowerCase()}`;
      assert.equal(bench().one('[role=tabpanel]').getAttribute('aria-labelledby'), id);
      const body = name === 'Pipelines' ? 'No pipelines yet' : `${name.toLowerCase()} are shown`;
      assert.ok(bench().text.includes(body));
    });
  }

  const keys: [from: string, key: string, to: string][] = [
    ['Pipelines', 'ArrowRight', 'Runs'],
    ['Runs', 'ArrowLeft', 'Pipelines'],
    ['Compute', 'ArrowRight', 'Pipelines'],
    ['Pipelines', 'ArrowLeft', 'Compute'],
    ['Models', 'ArrowDown', 'Models'],
    ['Models', 'Tab', 'Models']
  ];
  for (const [from, key, to] of keys) {
    test(`goes from ${from} by ${key} to ${to}, and so does the focus`, async () => {
      await show();
      await bench().click(from);
      await bench().press(bench().button(from), key);
      assert.deepEqual(tabs(), [to]);
      assert.equal(page.activeElement.textContent, to);
    });
  }

  test('takes one stop of the tabulator for all tabs', async () => {
    await show();
    await bench().click('Models');
    const stops = bench()
      .all('[role=tab]')
      .filter(tab => tab.getAttribute('tabindex') === '0');
    assert.deepEqual(
      stops.map(tab => tab.textContent),
      ['Models']
    );
  });

  test('follows when something else asks for a section', async () => {
    await show();
    await bench().do(() => bench().navigation.showSection('runs'));
    assert.deepEqual(tabs(), ['Runs']);
  });

  test('shows the first section where nobody knows the one that was asked for', async () => {
    await show();
    await bench().do(() => bench().navigation.showSection('nosuch'));
    assert.deepEqual(tabs(), ['Pipelines']);
  });
});

describe('the line about the server', () => {
  const banner = (): string[] => bench().texts('.jp-mlops-Banner');

  test('is not there while all is well', async () => {
    await show();
    assert.deepEqual(banner(), []);
  });

  test('comes when the server is away, and goes when it is back', async () => {
    await show();
    bench().server.says('GET status', SILENCE);
    await bench().look();
    assert.deepEqual(banner(), ['Connection lost, trying again…']);
    assert.equal(bench().one('.jp-mlops-Banner').getAttribute('role'), 'status');
    bench().server.says('GET status', bench().status);
    await bench().wait(10_000); // it asks again by itself
    assert.deepEqual(banner(), []);
  });

  test('says what to do where the extension is missing, and looks again on demand', async () => {
    await show();
    bench().server.says('GET status', new Refusal(404, 'no such route'));
    await bench().look();
    assert.match(banner()[0], /no MLOps extension.*jupyter server extension enable jupyter_mlops/);
    assert.equal(bench().one('.jp-mlops-Banner').getAttribute('role'), 'alert');
    const before = bench().server.count('GET status');
    await bench().wait(600_000);
    assert.equal(bench().server.count('GET status'), before); // nothing is asked in vain
    bench().server.says('GET status', bench().status);
    await bench().click('Look again');
    await bench().wait(0);
    assert.deepEqual(banner(), []);
  });
});

describe('the item in the status bar', () => {
  const live = (id: string, running: number, changes = {}): ReturnType<typeof summary> =>
    summary({ run_id: id, task_states: { running, queued: 1 }, ...changes });

  async function item(...runs: ReturnType<typeof summary>[]): Promise<void> {
    bench().server.says('GET runs', pageOf(runs));
    await bench().show(<RunningItem context={bench().context} />);
  }

  const cases: [what: string, ReturnType<typeof summary>[], said: string, title?: string][] = [
    ['nothing runs', [], ''],
    ['nobody drives what was begun', [live('a', 1, { is_driven: false })], ''],
    ['one task runs', [live('a', 1)], '1 task running', '1 run is under way'],
    [
      'several do, in two runs',
      [live('a', 3), live('b', 2)],
      '5 tasks running',
      '2 runs are under way'
    ],
    [
      'a run has not begun with its tasks',
      [live('a', 0)],
      '1 run is under way',
      '1 run is under way'
    ],
    [
      'a run has no tasks',
      [summary({ task_states: {} })],
      '1 run is under way',
      '1 run is under way'
    ]
  ];
  for (const [what, runs, said, title] of cases) {
    test(`says "${said}" where ${what}`, async () => {
      await item(...runs);
      assert.equal(bench().text, said);
      assert.equal(bench().all('.jp-mlops-Running')[0]?.getAttribute('title'), title);
    });
  }

  test('asks for what is under way alone', async () => {
    await item();
    assert.deepEqual(bench().server.queries('GET runs'), [
      { state: 'queued,running', limit: '100' }
    ]);
  });

  test('goes when all is over', async () => {
    await item(live('a', 1));
    bench().server.says('GET runs', pageOf([]));
    await bench().ring(['run'], ['a']);
    assert.equal(bench().text, '');
  });

  test('opens the run, if there is one', async () => {
    await item(live('a', 1));
    await bench().click(bench().one('.jp-mlops-Running'));
    assert.deepEqual(bench().opened, [['run', { runId: 'a', title: 'flights' }]]);
  });

  test('opens the list in the panel, if there are several', async () => {
    await item(live('a', 1), live('b', 1));
    await bench().click(bench().one('.jp-mlops-Running'));
    assert.deepEqual(
      [bench().navigation.section, bench().activated],
      ['runs', ['jupyter-mlops-panel']]
    );
    assert.deepEqual(bench().opened, []);
  });

  test('asks nothing while there is no server', async () => {
    bench().server.says('GET status', SILENCE);
    await bench().look();
    await item(live('a', 1));
    assert.equal(bench().server.count('GET runs'), 0);
    assert.equal(bench().text, '');
  });
});

describe('the tab of an executed notebook', () => {
  test('is the page of the server, which may run nothing', async () => {
    await bench().show(createNotebook(bench().context, { runId: 'r/1', task: 'fit[ä b]' }));
    const frame = bench().one('iframe');
    assert.equal(frame.getAttribute('src'), '/mlops/view/r%2F1/fit%5B%C3%A4%20b%5D');
    assert.equal(frame.getAttribute('title'), 'Executed notebook of fit[ä b]');
    assert.ok(!frame.getAttribute('sandbox')!.includes('allow-scripts'));
  });
});
