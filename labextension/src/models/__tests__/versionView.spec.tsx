import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Answers, nameOf, Page, refuse } from './page';
import { lineage, whole } from './builders';
import { VersionView } from '../versionView';

type Changes = NonNullable<Parameters<typeof whole>[1]>;

const show = (changes: Changes = {}, answers: Answers = {}): Promise<Page> =>
  Page.of(answers, context => (
    <VersionView context={context} version={whole(3, changes)} aliases={<i>aliases</i>} />
  ));
/** The part with a title, in words. */
const part = (page: Page, title: string): string =>
  page.texts('details').find(text => text.startsWith(title)) ?? '';
/** The part that tells what has this name. */
const fact = (page: Page, name: string): string | undefined => {
  const terms = page.all('dt');
  const at = terms.findIndex(one => one.textContent === name);
  return page.texts('dd')[at];
};

describe('a version', () => {
  test('tells who registered it, how large it is and how it was tried out', async () => {
    const page = await show({ version: { tags: { team: 'ops' }, description: 'A <b>' } });
    assert.match(
      page.text,
      /^late v3 aliases Make an image… A <b> Registered .* by ada Size 2\.0 KiB/
    );
    assert.equal(fact(page, 'Tried out'), 'quick');
    assert.equal(fact(page, 'team'), 'ops');
    assert.equal(fact(page, 'Run'), undefined);
    assert.equal(fact(page, 'Imported from'), undefined);
  });

  test('leads to the run that made it', async () => {
    const page = await show({ version: { run_id: 'r1', task: 'fit', origin: 'mlflow' } });
    assert.equal(fact(page, 'Imported from'), 'mlflow');
    await page.click('r1 · fit');
    assert.deepEqual(page.opened, [['run', { runId: 'r1' }]]);
    assert.equal(fact(await show({ version: { run_id: 'r2' } }), 'Run'), 'r2');
  });

  test('leads to its image', async () => {
    const page = await show();
    await page.click('Make an image…');
    assert.deepEqual(page.opened, [['dockerize', { target: 'models:/late/3' }]]);
  });

  test('with an empty envelope shows no part that says nothing', async () => {
    const page = await show();
    assert.equal(part(page, 'Functions'), '');
    assert.equal(part(page, 'Parameters'), 'Parameters 0');
    assert.equal(page.all('pre').length, 0);
    assert.match(page.text, /sha256:feed$/);
  });

  test('shows its definition, and its source as text', async () => {
    const page = await show({
      envelope: {
        definition: { class_name: 'Pipeline', forms: ['x'], text: 'Pipeline()', source: 'a < b' }
      }
    });
    assert.equal(fact(page, 'class name'), 'Pipeline');
    assert.equal(fact(page, 'forms'), undefined);
    assert.deepEqual(page.texts('pre'), ['Pipeline()', 'a < b']);
  });

  test('keeps every parameter, also those that are empty', async () => {
    const page = await show({
      envelope: { parameters: { C: 0, penalty: null, name: '', tol: 1e-7, on: false } }
    });
    const told = ['C', 'penalty', 'name', 'tol', 'on'].map(name => fact(page, name));
    assert.deepEqual(told, ['0', 'null', '""', '1e-7', 'false']);
  });

  test('has the functions around it, by source or by name', async () => {
    const page = await show({
      envelope: {
        featurize: { name: 'clean', source: 'def clean(rows): …' },
        predict: { name: 'proba', source: '' }
      }
    });
    assert.equal(
      part(page, 'Functions'),
      'Functions 2 From raw rows to features def clean(rows): … From features to predictions proba'
    );
    const one = await show({ envelope: { predict: { name: 'proba', source: '' } } });
    assert.equal(part(one, 'Functions'), 'Functions 1 From features to predictions proba');
  });

  test('tells what goes in and what comes out', async () => {
    const columns = [
      { name: 'distance', dtype: 'float64', has_missing: true },
      { name: 'carrier', dtype: 'string', has_missing: false }
    ];
    const page = await show({
      envelope: {
        signature: {
          inputs: { kind: 'frame', columns },
          outputs: { kind: 'array', dtype: 'float64', shape: [-1, 2] }
        }
      }
    });
    assert.equal(
      part(page, 'Signature'),
      'Signature Inputs distance float64 may be missing carrier string Outputs array float64 [… × 2]'
    );
    assert.equal(part(await show(), 'Signature'), 'Signature Inputs Outputs');
  });

  test('tells its data with the query that read it', async () => {
    const page = await show({
      envelope: { data: [{ name: 'flights', rows: 10, query: 'select 1' }, { name: 'wind' }] }
    });
    assert.equal(part(page, 'Data'), 'Data 2 name flights rows 10 select 1 name wind');
  });

  test('shows the cells that trained it, in their order', async () => {
    const code = { cells: ['a = 1', { source: 'b = 2' }], language: 'python', digest: '' };
    const page = await show({ envelope: { code } });
    assert.equal(part(page, 'Code'), 'Code 2 language python a = 1 b = 2');
  });

  test('lists what it needs, and what that was locked to', async () => {
    const dependencies = {
      python: '3.11',
      direct: ['skops', 'scikit-learn'],
      locked: ['skops==0.10', 'scikit-learn==1.5', 'numpy==2.0']
    };
    const page = await show({ envelope: { dependencies } });
    assert.match(
      part(page, 'Dependencies'),
      /^Dependencies 2 python 3.11 skops scikit-learn Locked 3/
    );
  });

  test('lists its files with their sizes', async () => {
    const files = {
      'model.skops': { format: 'skops', size_bytes: 1536, digest: 'sha256:1' },
      'größe <x>.json': { size_bytes: 0 }
    };
    const page = await show({ envelope: { files } });
    assert.deepEqual(page.texts('tbody tr'), ['model.skops skops 1.5 KiB', 'größe <x>.json 0 B']);
    assert.equal(page.all('tbody tr')[0].getAttribute('title'), 'sha256:1');
  });
});

describe('what a version was made from', () => {
  const LINEAGE = lineage(
    'data sha256:43341aa17f14beefbeef',
    'feature_view weather@abc',
    'feature feel@1:feels',
    'run r7',
    'model base/2',
    'model late/3'
  );

  test('is nothing where nothing is known', async () => {
    assert.match(part(await show(), 'Lineage'), /Nothing is known of what it was made from/);
  });

  test('is a picture that can be read, digests in short', async () => {
    const page = await show({ lineage: LINEAGE });
    assert.deepEqual(page.all('g[role=button]').map(nameOf), [
      '43341aa17f14, data',
      'weather@abc, feature view',
      'feel@1:feels, feature',
      'r7, run',
      'base/2, model',
      'late/3, model'
    ]);
    assert.equal(nameOf(page.one('g[aria-pressed=true]')), 'late/3, model');
  });

  const opens: [string, [string, Record<string, string>][]][] = [
    ['run r7', [['run', { runId: 'r7' }]]],
    ['feature_view weather@abc', [['feature', { name: 'weather' }]]],
    ['feature feel@1:feels', [['feature', { name: 'feel' }]]],
    ['model base/2', [['model', { name: 'base' }]]],
    ['model late/3', []], // it is the one that is shown
    ['data sha256:43341aa17f14beefbeef', []]
  ];
  for (const [id, expected] of opens) {
    test(`opens from ${id}, by mouse and by key`, async () => {
      const page = await show({ lineage: LINEAGE });
      const node = page.all('g[role=button]').find(one => one.getAttribute('data-task') === id)!;
      await page.click(node);
      assert.deepEqual(page.opened, expected);
      await page.press(node, 'Enter');
      await page.press(node, 'x');
      assert.deepEqual(page.opened, [...expected, ...expected]);
    });
  }
});

describe('what a version cost', () => {
  const path = 'GET models/late/versions/3/cost';
  const version = { run_id: 'r1' };

  test('is asked for when it is unfolded, and says why it is not known', async () => {
    const page = await show({ version }, { [path]: refuse('its run was removed') });
    assert.deepEqual(page.requests(), []);
    await page.unfold('Cost');
    assert.deepEqual(page.requests(), [path]);
    assert.match(part(page, 'Cost'), /its run was removed/);
  });

  test('is not there without a run, or where costs shall not be shown', async () => {
    assert.equal(part(await show(), 'Cost'), '');
    const page = await show({ version });
    assert.equal(part(page, 'Cost'), 'Cost');
    await page.prefer({ showCosts: false });
    assert.equal(part(page, 'Cost'), '');
  });
});
