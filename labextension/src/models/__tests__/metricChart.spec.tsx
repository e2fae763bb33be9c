import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Page } from './page';
import { type IPoint, MetricChart, versionMarks } from '../metricChart';

const picked: number[] = [];
const point = (version: number, value: number | null, ...aliases: string[]): IPoint => ({
  version,
  value,
  aliases
});
const show = (points: IPoint[], selected: number[] = []): Promise<Page> => {
  picked.length = 0;
  return Page.of({}, ({ trans }) => (
    <MetricChart
      name="auc"
      points={points}
      selected={selected}
      trans={trans}
      onSelect={version => picked.push(version)}
    />
  ));
};
const said = (page: Page): string | null => page.one('svg').getAttribute('aria-label');
const line = (page: Page): string => page.one('.jp-mlops-Chart-line').getAttribute('d') ?? '';

describe('the chart of a metric', () => {
  test('of many versions can be picked from', async () => {
    const page = await show([point(1, 0.25), point(2, 0.5), point(4, 0.75)], [2]);
    const points = page.all('.jp-mlops-Chart-point');
    await page.click(points[2]);
    await page.click(points[0]);
    assert.deepEqual(picked, [4, 1]);
    assert.deepEqual(
      points.map(one => /jp-mod-selected/.test(one.getAttribute('class') ?? '')),
      [false, true, false]
    );
  });

  const cases: [string, IPoint[], string, string, number][] = [
    ['nothing', [], 'auc: ', '', 0],
    ['one version', [point(7, 0.5)], 'auc: version 7: 0.5', 'M169', 1],
    ['one without the metric', [point(7, null)], 'auc: ', '', 0],
    [
      'the same value twice',
      [point(1, 3), point(2, 3)],
      'auc: version 1: 3, version 2: 3',
      'M52',
      2
    ],
    [
      'a gap',
      [point(1, 1), point(2, null), point(3, 2)],
      'auc: version 1: 1, version 3: 2',
      'M52',
      2
    ],
    ['zero', [point(1, 0), point(2, 0)], 'auc: version 1: 0, version 2: 0', 'M52', 2],
    ['below zero', [point(1, -5), point(2, 5)], 'auc: version 1: -5, version 2: 5', 'M52', 2],
    ['huge ones', [point(1, 4e18), point(2, 1)], 'auc: version 1: 4.0e+18, version 2: 1', 'M52', 2]
  ];
  for (const [what, points, words, start, count] of cases) {
    test(`of ${what}`, async () => {
      const page = await show(points);
      assert.equal(said(page), words);
      assert.ok(line(page).startsWith(start), line(page));
      assert.equal(page.all('.jp-mlops-Chart-point').length, count);
      for (const one of page.all('')) {
        [...one.attributes.values()].forEach(value => assert.doesNotMatch(value, /NaN|Infinity/));
      }
    });
  }

  test('draws no line over a gap', async () => {
    const page = await show([point(1, 1), point(2, null), point(3, 2), point(4, 3)]);
    assert.equal(line(page).match(/M/g)?.length, 2);
    assert.equal(line(page).match(/L/g)?.length, 1);
  });

  test('a better value stands higher', async () => {
    const page = await show([point(1, 0.2), point(2, 0.9)]);
    const [low, high] = page.all('.jp-mod-wide').map(one => Number(one.getAttribute('cy')));
    assert.ok(high < low);
  });

  test('says the newest value in its head, and none where it is not known', async () => {
    assert.equal(
      (await show([point(1, 1), point(2, 0.12345)])).one('strong').textContent,
      '0.1235'
    );
    assert.equal((await show([point(1, 1), point(2, null)])).all('strong').length, 0);
  });

  test('flags what an alias names, and that there are more', async () => {
    const page = await show([point(1, 1), point(2, 2, 'champion'), point(3, 3, 'x', 'y', '<z>')]);
    const flags = page.all('.jp-mod-alias text').map(one => one.textContent);
    assert.deepEqual(flags, ['champion', 'x +2']);
    assert.match(page.all('title')[2].textContent, /^version 3: 3\nx\ny\n<z>$/);
  });

  test('flags stay within the picture at both ends', async () => {
    const page = await show([point(1, 2, 'first'), point(2, 3, 'mid'), point(3, 1, 'last')]);
    assert.deepEqual(
      page.all('.jp-mod-alias text').map(one => one.getAttribute('text-anchor')),
      ['start', 'middle', 'end']
    );
  });
});

describe('the versions named below a chart', () => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  const cases: [string, number[], number[], number[]][] = [
    ['none of none', [], [], []],
    ['all of a few', upTo(8), [], upTo(8)],
    ['the ends of many', upTo(9), [], [1, 9]],
    ['the ends and what is picked', upTo(80), [40], [1, 40, 80]],
    ['not what is too near to another', upTo(80), [2, 40, 41, 79], [1, 40, 80]],
    ['not what is on another page', upTo(80), [200], [1, 80]],
    ['in their order', upTo(80), [60, 20], [1, 20, 60, 80]]
  ];
  for (const [what, versions, selected, expected] of cases) {
    test(`are ${what}`, () => assert.deepEqual(versionMarks(versions, selected), expected));
  }
});
