import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Page } from './page';
import { CompareView } from '../compareView';
import { comparison, version } from './builders';

type Changes = Parameters<typeof comparison>[0];
const show = (changes: Changes): Promise<Page> =>
  Page.of({}, ({ trans }) => <CompareView comparison={comparison(changes)} trans={trans} />);
const row = (name: string, ...values: unknown[]) => ({
  name,
  values,
  is_same: values.every(value => value === values[0])
});
const rows = (page: Page): string[] => page.texts('tbody tr');

describe('versions side by side', () => {
  const TABLES = [
    { title: 'metrics', rows: [row('auc', 0.7, 0.7), row('loss', 0.5, 0.25)] },
    { title: 'parameters', rows: [row('C', 1, 1), row('penalty', 'l2', null)] },
    { title: 'data', rows: [row('rows', 9, 9)] }
  ];

  test('show all metrics, and of the rest what differs', async () => {
    const page = await show({ tables: TABLES });
    assert.deepEqual(rows(page), [
      'metrics',
      'auc 0.7 0.7',
      'loss 0.5 0.25 −0.25',
      'parameters',
      'penalty l2 –'
    ]);
    assert.deepEqual(page.texts('.jp-mod-differs th'), ['loss', 'penalty']);
  });

  test('show also what is the same, when that is wanted', async () => {
    const page = await show({ tables: TABLES });
    await page.click(page.field('Also what is the same'));
    assert.deepEqual(rows(page).slice(3), [
      'parameters',
      'C 1 1',
      'penalty l2 –',
      'data',
      'rows 9 9'
    ]);
    await page.click(page.field('Also what is the same'));
    assert.equal(rows(page).length, 5);
  });

  const changes: [unknown, unknown, string][] = [
    [0.7, 0.8, '0.7 0.8 +0.1'],
    [0, -3, '0 -3 −3'],
    [1e6, 2.5e6, '1M 2.5M +1.5M'],
    [null, 2, '– 2'],
    [2, null, '2 –'],
    ['2', 3, '2 3'],
    [true, false, 'true false'],
    [[1, 2], { a: 1 }, '[1,2] {"a":1}'],
    ['<b>', 'ü', '<b> ü']
  ];
  for (const [from, to, expected] of changes) {
    test(`${JSON.stringify(from)} and ${JSON.stringify(to)}`, async () => {
      const page = await show({ tables: [{ title: 'metrics', rows: [row('x', from, to)] }] });
      assert.equal(rows(page)[1], `x ${expected}`);
    });
  }

  test('of more than two: each against the first', async () => {
    const page = await show({
      versions: [version(1), version(2), version(5)],
      tables: [{ title: 'metrics', rows: [row('auc', 0.5, 0.75, 0.25)] }],
      code: ['', '-a\n+b\n']
    });
    assert.deepEqual(page.texts('thead th'), ['', 'version 1', 'version 2', 'version 5']);
    assert.equal(rows(page)[1], 'auc 0.5 0.75 +0.25 0.25 −0.25');
    assert.equal(page.one('tbody th[scope=rowgroup]').getAttribute('colspan'), '4');
    assert.equal(page.all('pre').length, 1);
  });

  test('of nothing in common: no empty groups', async () => {
    const page = await show({ tables: [{ title: 'data', rows: [] }], code: [] });
    assert.deepEqual(rows(page), []);
    assert.match(page.text, /The code is the same\./);
  });

  test('the code as a patch, every line by what it is', async () => {
    const page = await show({ code: ['--- v1\n+++ v2\n@@ -1,2 +1,2 @@\n same\n\n-<old>\n+new\n'] });
    assert.deepEqual(
      page.all('pre span').map(one => one.getAttribute('class')),
      ['head', 'head', 'head', 'same', 'same', 'del', 'add'].map(kind => `jp-mod-${kind}`)
    );
    assert.match(page.one('pre').textContent, /\n-<old>\n\+new\n$/);
    assert.ok(!page.text.includes('The code is the same'));
  });
});
