import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { nameOf, Page } from '../../models/__tests__/page';
import type { FeatureProfile } from '../../types';
import { drift, profile } from './builders';
import { type IProfileCard, ProfileCard } from '../profileCard';

const show = (one: FeatureProfile, more: Partial<IProfileCard> = {}): Promise<Page> =>
  Page.of({}, ({ trans }) => <ProfileCard profile={one} trans={trans} {...more} />);
const histogram = (edges: number[], ...shares: number[]): Partial<FeatureProfile> => ({
  histogram: { edges, shares }
});
const top = (...shares: [string, number][]): Partial<FeatureProfile> => ({
  dtype: 'string',
  top: shares.map(([value, share]) => ({ value, share }))
});

describe('the card of a feature', () => {
  test('tells its moments and how much is missing', async () => {
    const page = await show(
      profile('temp', { mean: 48.25, stddev: 0, minimum: -12_345, maximum: 7e9, null_share: 0.5 })
    );
    assert.equal(
      page.text,
      'temp float64 No values to show mean 48.25 stddev 0 min -12.3k max 7B null 50 %'
    );
    assert.equal(page.all('.jp-mod-nulls').length, 1);
    assert.equal((await show(profile('temp'))).all('.jp-mod-nulls').length, 0);
  });

  const drifts: [string, ReturnType<typeof drift> | undefined, string, string][] = [
    ['nothing to compare with', undefined, 'none', ''],
    ['none that could be measured', drift('x', null), 'none', ''],
    ['little', drift('x', 0.01), 'none', 'PSI 0.01'],
    ['some', drift('x', 0.15), 'some', '△ PSI 0.15'],
    ['much', drift('x', 1.234), 'much', '▲ PSI 1.23']
  ];
  for (const [what, one, level, words] of drifts) {
    test(`drift: ${what}`, async () => {
      const page = await show(profile('x'), { drift: one });
      assert.equal(page.texts('.jp-mlops-Profile-drift').join(), words);
      assert.ok(page.one('figure').getAttribute('class')?.endsWith(`jp-mod-drift-${level}`));
    });
  }

  test('tells both measures of drift in its tooltip', async () => {
    const page = await show(profile('x'), { drift: drift('x', 0.15, { ks: null }) });
    assert.match(
      page.one('.jp-mlops-Profile-drift').getAttribute('title') ?? '',
      /index 0\.15, Kolmogorov-Smirnov –/
    );
  });
});

describe('a histogram', () => {
  test('is told by its ends and by its bars', async () => {
    const page = await show(profile('temp', histogram([-10, 0, 30], 0.25, 0.75)));
    assert.equal(nameOf(page.one('svg')), 'Histogram of temp, from -10 to 30');
    assert.deepEqual(page.texts('title'), ['-10 … 0: 25 %', '0 … 30: 75 %']);
  });

  test('reaches over both batches, and draws the one before as an outline', async () => {
    const page = await show(profile('temp', histogram([0, 10], 1)), {
      before: profile('temp', histogram([-5, 20], 1))
    });
    assert.equal(nameOf(page.one('svg')), 'Histogram of temp, from -5 to 20');
    assert.match(page.one('path').getAttribute('d') ?? '', /^M6 78L6 .* 78$/);
    const bar = page.one('rect');
    assert.ok(Number(bar.getAttribute('x')) > 6 && Number(bar.getAttribute('width')) < 268);
  });

  const cases: [string, number[], number[]][] = [
    ['one value alone', [5, 5], [1]],
    ['nothing in any bin', [0, 1, 2], [0, 0]],
    ['huge numbers', [-1e300, 0, 1e300], [0.5, 0.5]],
    ['very small numbers', [0, 1e-12, 2e-12], [0.1, 0.9]]
  ];
  for (const [what, edges, shares] of cases) {
    test(`of ${what} is drawn within its picture`, async () => {
      const page = await show(profile('x', histogram(edges, ...shares)));
      for (const bar of page.all('rect')) {
        const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(name =>
          Number(bar.getAttribute(name))
        );
        assert.ok(x >= 0 && x + width <= 281 && y >= 0 && height >= 0 && y + height <= 79);
      }
    });
  }

  test('a bin that holds little is still seen, one that holds nothing is not', async () => {
    const page = await show(profile('x', histogram([0, 1, 2, 3], 0.9999, 0.0001, 0)));
    const heights = page.all('rect').map(bar => Number(bar.getAttribute('height')));
    assert.deepEqual(heights, [70, 1, 0]);
  });

  test('without bins there is none', async () => {
    const page = await show(profile('x', histogram([0])));
    assert.equal(page.all('svg').length, 0);
    assert.match(page.text, /No values to show/);
  });
});

describe('the most frequent texts', () => {
  test('are told with their shares, the longest bar for the most frequent', async () => {
    const page = await show(profile('sky', top(['clear', 0.5], ['<rain>', 0.25], ['', 0.001])));
    assert.deepEqual(page.texts('li'), ['clear 50 %', '<rain> 25 %', '(empty) 0.1 %']);
    assert.deepEqual(
      page.all('.jp-mlops-Profile-track span').map(one => one.style.width),
      ['100%', '50%', '0.2%']
    );
  });

  test('are marked where they stood before; a longer bar than now fits, too', async () => {
    const before = profile('sky', top(['clear', 1], ['gone', 0.9]));
    const page = await show(profile('sky', top(['clear', 0.5], ['new', 0.5])), { before });
    assert.deepEqual(
      page.all('i').map(one => one.style.left),
      ['100%']
    );
    assert.deepEqual(
      page.all('.jp-mlops-Profile-track span').map(one => one.style.width),
      ['50%', '50%']
    );
    assert.deepEqual(
      page.all('li').map(one => one.getAttribute('title')),
      ['clear: 50 %, before: 100 %', 'new: 50 %']
    );
  });

  test('beyond six are counted', async () => {
    const many = [...'abcdefgh'].map((letter): [string, number] => [letter, 0.1]);
    const page = await show(profile('sky', top(...many)));
    assert.equal(page.all('li').length, 7);
    assert.match(page.text, /and 2 more/);
    assert.doesNotMatch((await show(profile('x', top(...many.slice(0, 6))))).text, /more/);
  });
});
