import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Held, nameOf, Page, refuse } from '../../models/__tests__/page';
import { list, service, view } from './builders';
import { createFeatures, matching, viewsOf } from '../section';

const LIST = 'GET features';
const show = (answer: unknown): Promise<Page> => Page.of({ [LIST]: answer }, createFeatures);

describe('the section Features', () => {
  test('waits, then shows views with their age and what they hold', async () => {
    const held = new Held(list([view('weather'), view('wind', { freshness_seconds: 1e6 })]));
    const page = await show(held);
    assert.equal(page.one('[role=status]').textContent, 'Loading features');
    held.release();
    await page.settle();
    assert.deepEqual(page.texts('.jp-mlops-Row'), [
      'weather 2 h old temp, sky',
      'wind 12 d old temp, sky'
    ]);
    assert.deepEqual(page.all('svg').map(nameOf), ['fresh', 'older than its ttl']);
    assert.equal(page.all('details').length, 0);
  });

  test('says how features are made where there are none', async () => {
    assert.match((await show(list([]))).text, /No features yet .*mlops.register_features\(…\)/);
  });

  test('an error has its cure, and goes with the next answer', async () => {
    const page = await show(refuse('no feature store', 'jupyter mlops init'));
    assert.match(page.one('[role=alert]').textContent, /no feature store.*jupyter mlops init/);
    page.answers[LIST] = list([view('weather')]);
    await page.click('Try again');
    assert.equal(page.all('[role=alert]').length, 0);
    assert.equal(page.all('.jp-mlops-Row').length, 1);
  });

  test('a server that does not answer is said to be away', async () => {
    assert.match((await show(null)).one('[role=alert]').textContent, /does not answer/);
  });

  test('opens a view from its row, and from a service that selects of it', async () => {
    const page = await show(
      list([view('weather')], [service('late', 'weather@1:temp', 'weather@1:sky', 'feel@2:feels')])
    );
    assert.match(page.text, /Services 1 late weather feel 3 features$/);
    await page.click(page.one('[data-view=weather] button'));
    await page.click('feel');
    assert.deepEqual(page.opened, [
      ['feature', { name: 'weather' }],
      ['feature', { name: 'feel' }]
    ]);
  });

  test('searches what is there, without asking the server again', async () => {
    const page = await show(list([view('weather'), view('wind')], [service('late', 'wind@1:x')]));
    page.requests();
    await page.fill('Search features', 'wea');
    await page.pass(100);
    assert.deepEqual(page.texts('.jp-mlops-Row .jp-mlops-name'), ['weather']);
    assert.equal(page.all('details').length, 0);
    await page.fill('Search features', 'nothing of this');
    await page.pass(100);
    assert.equal(page.texts('.jp-mlops-Empty').join(), 'No such features');
    await page.press(page.field('Search features'), 'Escape');
    await page.pass(100);
    assert.equal(page.all('.jp-mlops-Row').length, 2);
    assert.deepEqual(page.requests(), []);
  });

  const rings: [string[], number, number][] = [
    [['feature'], 0, 1],
    [['run', 'model'], 0, 0],
    [['run'], 1, 1]
  ];
  for (const [kinds, lost, count] of rings) {
    test(`a ring for ${kinds}${lost ? ' after a gap' : ''} asks ${count} times`, async () => {
      const page = await show(list([]));
      page.requests();
      await page.ring(kinds, lost);
      assert.equal(page.requests().length, count);
    });
  }

  test('names are text, however they look and however long', async () => {
    const name = `<b>wetter-ü</b>${'x'.repeat(300)}`;
    const page = await show(list([view(name, { features: [], description: 'a "b"' })]));
    assert.equal(page.one('.jp-mlops-name').textContent, name);
    assert.match(page.one('.jp-mlops-Row button').getAttribute('title') ?? '', /\na "b"\n/);
  });
});

describe('a search', () => {
  const FOUND = list(
    [
      view('weather', { owner: 'ops', tags: { source: 'NOAA' }, description: 'Hourly sky' }),
      view('wind', { features: [{ name: 'gusts', dtype: 'float64' }] })
    ],
    [service('departure', 'weather@1:temp'), { ...service('arrival'), owner: 'ops' }]
  );
  const cases: [string, string[], string[]][] = [
    ['', ['weather', 'wind'], ['departure', 'arrival']],
    ['   ', ['weather', 'wind'], ['departure', 'arrival']],
    ['WEATHER', ['weather'], ['departure']],
    ['noaa', ['weather'], []],
    ['hourly ops', ['weather'], []],
    ['ops', ['weather'], ['arrival']],
    ['gust', ['wind'], []],
    ['wind weather', [], []],
    ['airport', [], []],
    ['.*', [], []]
  ];
  for (const [search, views, services] of cases) {
    test(`for ${JSON.stringify(search)}`, () => {
      const found = matching(FOUND, search);
      assert.deepEqual(
        [found.views.map(({ name }) => name), found.services.map(({ name }) => name)],
        [views, services]
      );
    });
  }

  test('of the views that a service selects names each once', () => {
    assert.deepEqual(viewsOf([]), []);
    assert.deepEqual(viewsOf(['a@1:x', 'b:y', 'a@2:z', 'c']), ['a', 'b', 'c']);
  });
});
