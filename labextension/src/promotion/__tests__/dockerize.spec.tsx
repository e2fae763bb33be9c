import { later, Refusal, SILENCE, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DockerizedImage } from '../../types';
import { create, folderFor } from '../dockerizeTab';

const bench = useBench();
const image = (name: string, changes: Partial<DockerizedImage> = {}): DockerizedImage => ({
  name,
  kind: 'batch',
  folder: null,
  facts: {},
  sections: [],
  problems: [],
  ...changes
});

async function show(target = 'flights/fit.ipynb', ...images: DockerizedImage[]): Promise<void> {
  bench().server.says('POST dockerize', { images });
  await bench().show(create(bench().context, { target }));
}

const sent = (): unknown => bench().server.last?.[1];

describe('the folder for an image', () => {
  const folders: [target: string, folder: string][] = [
    ['fit.ipynb', 'fit-image'],
    ['a/b/fit.ipynb', 'a/b/fit-image'],
    ['flights/pipeline.yaml', 'flights/pipeline-image'],
    ['train.pipeline.yml', 'train-image'],
    ['v1.2/fit.v3.ipynb', 'v1.2/fit.v3-image'],
    ['ä b/übung.ipynb', 'ä b/übung-image'],
    ['models:/late-flights/3', 'late-flights-image'],
    ['models:/late-flights@champion', 'late-flights-image'],
    ['models:/late', 'late-image']
  ];
  for (const [target, folder] of folders) {
    test(`of ${target} is ${folder}`, () => assert.equal(folderFor(target), folder));
  }
});

describe('the tab of an image', () => {
  for (const [target, said] of [
    ['flights/<fit>.ipynb', 'It runs from top to bottom; its parameters are flags and variables.'],
    [
      'flights/pipeline.yaml',
      'It runs from top to bottom; its parameters are flags and variables.'
    ],
    ['models:/late@champion', 'It answers requests with the model.']
  ]) {
    test(`says what an image of ${target} does, and asks nothing yet`, async () => {
      await show(target);
      assert.equal(bench().one('h1').textContent, `An image of ${target}`);
      assert.equal(bench().one('header p').textContent, said);
      assert.equal(bench().field('Folder for the Dockerfile').value, folderFor(target));
      assert.equal(bench().server.last, null);
    });
  }

  test('only looks: nothing is locked, nothing written', async () => {
    await show();
    await bench().click('Only look');
    assert.deepEqual(sent(), { target: 'flights/fit.ipynb', is_locked: false });
  });

  test('writes to the folder that is named', async () => {
    await show();
    await bench().type('Folder for the Dockerfile', 'images/übung 1');
    await bench().click('Write');
    assert.deepEqual(sent(), {
      target: 'flights/fit.ipynb',
      is_locked: true,
      folder: 'images/übung 1'
    });
  });

  for (const folder of ['', '  ']) {
    test(`writes to no folder "${folder}", but may look`, async () => {
      await show();
      await bench().type('Folder for the Dockerfile', folder);
      assert.ok(bench().button('Write').disabled);
      await bench().click('Write');
      assert.equal(bench().server.last, null);
      await bench().click('Only look');
      assert.equal(bench().server.sent.length, 1);
    });
  }

  for (const button of ['Only look', 'Write']) {
    test(`does one thing at a time: ${button}`, async () => {
      await show();
      const { answer, come } = later();
      bench().server.says('POST dockerize', () => answer);
      await bench().click(button);
      assert.ok(bench().button('Only look').disabled && bench().button('Working…').disabled);
      await bench().click('Working…');
      assert.equal(bench().server.sent.length, 1);
      await bench().do(() => come({ images: [] }));
      assert.ok(!bench().button('Write').disabled);
    });
  }
});

describe('what goes wrong with an image', () => {
  test('is told with its cure, keeps the folder, and is gone with the next try', async () => {
    await show();
    bench().server.says(
      'POST dockerize',
      new Refusal(409, 'the folder <x> is not ours', 'name another')
    );
    await bench().type('Folder for the Dockerfile', 'x');
    await bench().click('Write');
    assert.match(
      bench().one('[role=alert]').textContent,
      /the folder <x> is not ours.*name another/
    );
    assert.equal(bench().field('Folder for the Dockerfile').value, 'x');
    bench().server.says('POST dockerize', { images: [] });
    await bench().click('Write');
    assert.equal(bench().all('[role=alert]').length, 0);
  });

  test('may be that nobody answers', async () => {
    await show();
    bench().server.says('POST dockerize', SILENCE).says('GET status', SILENCE);
    await bench().click('Write');
    assert.match(bench().one('[role=alert]').textContent, /does not answer/);
    assert.equal(bench().model.connection, 'lost');
  });
});

describe('what an image needs', () => {
  const section = {
    title: 'Distributions',
    columns: ['name', 'why'],
    rows: [
      ['numpy', 'import <numpy>'],
      ['pandas', '']
    ]
  };

  test('is told in facts and tables', async () => {
    await show(
      undefined,
      image('fit', { facts: { python: '3.11', base: '<slim>' }, sections: [section] })
    );
    await bench().click('Only look');
    assert.equal(bench().one('dl').textContent, 'python3.11base<slim>');
    assert.equal(bench().one('summary').textContent, 'Distributions2');
    assert.equal(bench().one('details').hasAttribute('open'), true);
    assert.deepEqual(bench().texts('th'), ['name', 'why']);
    assert.deepEqual(bench().texts('td'), ['numpy', 'import <numpy>', 'pandas', '']);
  });

  test('leads to no file that was not written', async () => {
    await show(undefined, image('fit'));
    await bench().click('Only look');
    assert.equal(bench().all('.jp-mlops-Written').length, 0);
  });

  test('leads to the Dockerfile, and says how to build it', async () => {
    await show(undefined, image('fit', { folder: 'flights/fit-image' }));
    await bench().click('Write');
    assert.equal(bench().one('code').textContent, 'docker build flights/fit-image');
    await bench().click('flights/fit-image/Dockerfile');
    assert.deepEqual(bench().files, [['flights/fit-image/Dockerfile']]);
  });

  test('is told for each image of a pipeline', async () => {
    await show('p.yaml', image('pull', { folder: 'a/pull' }), image('fit', { folder: 'a/fit' }));
    await bench().click('Write');
    assert.deepEqual(bench().texts('h2'), ['pull', 'fit']);
    assert.deepEqual(bench().texts('code'), ['docker build a/pull', 'docker build a/fit']);
  });
});
