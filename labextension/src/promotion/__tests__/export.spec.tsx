import { later, Refusal, SILENCE, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problem } from '../../__tests__/samples';
import type { EnvironmentList, Exported } from '../../types';
import { create, exportFolder } from '../exportTab';

const bench = useBench();
const PATH = 'flights/pipeline.yaml';
const FOLDER = 'Folder for its files';

const exported = (changes: Partial<Exported> = {}): Exported => ({
  target: 'airflow',
  folder: null,
  files: [{ name: 'flights.py', text: 'dag = DAG("<flights>")\n' }],
  notes: [],
  ...changes
});

const ASKED = `GET pipelines/${PATH}/environments`;
const environments = (...names: string[]): EnvironmentList => ({
  items: names.map((name, i) => ({ name, tasks: [`task_${i}`, 'all'] }))
});

async function show(
  answer: unknown = exported(),
  found: unknown = environments('flights')
): Promise<void> {
  bench().server.says('POST export', answer).says(ASKED, found);
  await bench().show(create(bench().context, { path: PATH }));
}

const AT_FIRST = { path: PATH, target: 'airflow', image: '', schedule: '', timezone: 'UTC' };
const sent = (): unknown => bench().server.last?.[1];

describe('the folder of an export', () => {
  for (const [path, target, folder] of [
    ['pipeline.yaml', 'argo', 'argo'],
    ['a/b/pipeline.yaml', 'argo', 'a/b/argo'],
    ['ä b/x.pipeline.yml', 'kubeflow', 'ä b/kubeflow']
  ]) {
    test(`of ${path} is ${folder}`, () => assert.equal(exportFolder(path, target), folder));
  }
});

describe('the tab of an export', () => {
  test('offers the orchestrators that there are, and makes nothing yet', async () => {
    await show();
    assert.equal(bench().one('h1').textContent, `${PATH} elsewhere`);
    assert.deepEqual(bench().texts('option'), [
      'Airflow',
      'Argo',
      'Prefect',
      'Kubeflow',
      'Metaflow'
    ]);
    assert.equal(bench().server.last, null);
  });

  test('only looks: no folder is sent', async () => {
    await show();
    await bench().click('Only look');
    assert.deepEqual(sent(), AT_FIRST);
  });

  test('writes, and does not overwrite unless it is told to', async () => {
    await show();
    await bench().click('Write');
    assert.deepEqual(sent(), { ...AT_FIRST, folder: 'flights/airflow', is_forced: false });
    await bench().click(bench().field('Overwrite files that differ'));
    await bench().click('Write');
    assert.deepEqual(sent(), { ...AT_FIRST, folder: 'flights/airflow', is_forced: true });
  });

  const fields: [label: string, text: string, changed: object][] = [
    [
      'Container image that has the project',
      'hub.example/flights:1',
      { image: 'hub.example/flights:1' }
    ],
    ['Schedule', '0 6 * * 1', { schedule: '0 6 * * 1' }],
    ['Time zone', 'Europe/Berlin', { timezone: 'Europe/Berlin' }],
    ['Time zone', '', { timezone: 'UTC' }]
  ];
  for (const [label, text, changed] of fields) {
    test(`sends the field ${label} as ${JSON.stringify(changed)}`, async () => {
      await show();
      await bench().type(label, text);
      await bench().click('Only look');
      assert.deepEqual(sent(), { ...AT_FIRST, ...changed });
    });
  }

  for (const target of ['argo', 'prefect', 'kubeflow', 'metaflow']) {
    test(`goes to ${target}, into a folder of its own`, async () => {
      await show();
      await bench().type('Orchestrator', target);
      assert.equal(bench().field(FOLDER).value, `flights/${target}`);
      await bench().click('Write');
      assert.deepEqual(sent(), {
        ...AT_FIRST,
        target,
        folder: `flights/${target}`,
        is_forced: false
      });
    });
  }

  test('shows nothing of one orchestrator under the name of another', async () => {
    await show();
    await bench().click('Only look');
    assert.equal(bench().all('article').length, 1);
    await bench().type('Orchestrator', 'argo');
    assert.equal(bench().all('article').length, 0);
  });

  test('keeps what else was typed when the orchestrator changes', async () => {
    await show();
    await bench().type('Schedule', '@daily');
    await bench().type('Orchestrator', 'argo');
    assert.equal(bench().field('Schedule').value, '@daily');
  });

  test('writes to no folder without a name', async () => {
    await show();
    await bench().type(FOLDER, ' ');
    assert.ok(bench().button('Write').disabled);
    assert.ok(!bench().button('Only look').disabled);
  });

  test('does one thing at a time', async () => {
    const { answer, come } = later();
    await show(() => answer);
    await bench().click('Write');
    await bench().click('Working…');
    await bench().click('Only look');
    assert.equal(bench().server.sent.length, 1);
    await bench().do(() => come(exported()));
    assert.ok(!bench().button('Write').disabled);
  });
});

describe('what goes wrong with an export', () => {
  test('is told with its cure, and takes the place of an older answer', async () => {
    await show();
    await bench().click('Only look');
    bench().server.says('POST export', new Refusal(409, 'flights.py differs', 'overwrite it'));
    await bench().click('Write');
    assert.match(bench().one('[role=alert]').textContent, /flights.py differs.*overwrite it/);
    assert.equal(bench().all('article').length, 0);
    await bench().type('Orchestrator', 'argo');
    assert.equal(bench().all('[role=alert]').length, 0);
  });

  test('may be that nobody answers', async () => {
    await show(SILENCE);
    bench().server.says('GET status', SILENCE);
    await bench().click('Only look');
    assert.match(bench().one('[role=alert]').textContent, /does not answer/);
    assert.equal(bench().model.connection, 'lost');
  });
});

describe('what was exported', () => {
  test('holds there as it does here, if nothing else is said', async () => {
    await show();
    await bench().click('Only look');
    assert.match(bench().one('article').textContent, /^airflowAll of it holds there/);
  });

  test('says what holds there in another way', async () => {
    const notes = ['fit: no <cache> there', 'map: at most 1,000 values'];
    await show(exported({ notes }));
    await bench().click('Only look');
    assert.deepEqual(bench().texts('li'), notes);
    assert.doesNotMatch(bench().text, /All of it holds/);
  });

  test('has the text of each file, as text', async () => {
    const files = [
      { name: 'flights.py', text: 'dag = DAG("<flights>")\n' },
      { name: 'README.md', text: '' }
    ];
    await show(exported({ files }));
    await bench().click('Only look');
    assert.deepEqual(bench().texts('summary'), ['flights.py', 'README.md']);
    assert.deepEqual(bench().texts('pre'), ['dag = DAG("<flights>")\n', '']);
    assert.equal(bench().all('.jp-mlops-Written').length, 0); // it was only looked at
  });

  test('opens where it was written', async () => {
    await show(exported({ folder: 'flights/airflow' }));
    await bench().click('Write');
    await bench().click('flights/airflow/flights.py');
    assert.deepEqual(bench().files, [['flights/airflow/flights.py']]);
  });
});

describe('the images of an export', () => {
  const MANY = environments('flights-pull', 'flights-train');

  test('are one, where the pipeline has one environment', async () => {
    await show();
    assert.equal(bench().all('fieldset').length, 0);
    assert.equal(bench().server.count(ASKED), 1);
  });

  test('are one for each environment, where it has several: what is given is sent', async () => {
    await show(exported(), MANY);
    assert.equal(bench().one('legend').textContent, 'Images of its environments');
    assert.match(bench().one('fieldset').textContent, /flights-pulltask_0, all/);
    await bench().type('Container image that has the project', 'r/all:1');
    await bench().type('flights-train', ' r/train:1 ');
    await bench().click('Only look');
    assert.deepEqual(sent(), {
      ...AT_FIRST,
      image: 'r/all:1',
      images: { 'flights-train': 'r/train:1' }
    });
    await bench().type('flights-train', '');
    await bench().click('Only look');
    assert.deepEqual(sent(), { ...AT_FIRST, image: 'r/all:1' });
  });

  test('are what was built: the file is sent', async () => {
    await show();
    await bench().type('File that tells which images were built', 'flights/images.json');
    await bench().click('Only look');
    assert.deepEqual(sent(), { ...AT_FIRST, built: 'flights/images.json' });
  });

  test('can be given while nobody knows yet which environments there are', async () => {
    const { answer, come } = later();
    await show(exported(), () => answer);
    assert.match(bench().one('[role=status]').textContent, /Looking which environments/);
    await bench().type('Container image that has the project', 'r/all:1');
    await bench().click('Only look');
    assert.deepEqual(sent(), { ...AT_FIRST, image: 'r/all:1' });
    await bench().do(() => come(MANY));
    assert.equal(bench().all('fieldset').length, 1);
    assert.equal(bench().field('Container image that has the project').value, 'r/all:1');
  });

  test('can be given where that cannot be told, and why is said', async () => {
    await show(exported(), new Refusal(404, 'there is no notebook pull.ipynb', 'mend its path'));
    assert.match(bench().one('[role=alert]').textContent, /no notebook pull.ipynb.*mend its path/);
    await bench().type('Container image that has the project', 'r/all:1');
    await bench().click('Only look');
    assert.deepEqual(sent(), { ...AT_FIRST, image: 'r/all:1' });
  });

  const cases: [where: string, label: string][] = [
    ['image', 'Container image that has the project'],
    ['images.flights-train', 'flights-train'],
    ['built', 'File that tells which images were built'],
    ['folder', FOLDER],
    ['schedule', 'Schedule'],
    ['timezone', 'Time zone']
  ];
  for (const [where, label] of cases) {
    test(`and the other fields tell what is wrong with ${where}, and nothing else does`, async () => {
      const told = [problem('is odd', { where, hint: 'mend it' })];
      await show(new Refusal(400, 'is odd', 'mend it', told), MANY);
      await bench().click('Only look');
      assert.deepEqual(bench().texts('[role=alert]'), ['is odd; mend it']);
      const field = bench().field(label);
      assert.equal(field.getAttribute('aria-invalid'), 'true');
      assert.match(String(field.getAttribute('aria-describedby')), /wrong/);
    });
  }

  test('of an environment that has no field are told above', async () => {
    const told = [problem('is odd', { where: 'images.gone' })];
    await show(new Refusal(400, 'is odd', '', told), MANY);
    await bench().click('Only look');
    assert.deepEqual(bench().texts('[role=alert]'), ['is odd']);
    assert.equal(bench().all('[aria-invalid]').length, 0);
  });
});
