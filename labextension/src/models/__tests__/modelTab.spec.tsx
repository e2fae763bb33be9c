import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Answers, Held, Page, refuse } from './page';
import { alias, comparison, detail, move, version, whole } from './builders';
import { create } from '../modelTab';

const MODEL = 'GET models/late';
const VERSIONS = [1, 2, 3].map(number => [`${MODEL}/versions/${number}`, whole(number)] as const);
const answers = (changes: Answers = {}): Answers => ({
  [MODEL]: detail(),
  [`${MODEL}/compare`]: comparison(),
  ...Object.fromEntries(VERSIONS),
  ...changes
});
const show = (changes: Answers = {}): Promise<Page> =>
  Page.of(answers(changes), context => create(context, { name: 'late' }));

/** The version whose envelope is shown. */
const shown = (page: Page): string => page.texts('article h2').join();

describe('the tab of a model', () => {
  test('waits, then shows the newest version', async () => {
    const held = new Held(detail());
    const page = await show({ [MODEL]: held });
    assert.equal(page.text, 'Loading the model');
    held.release();
    await page.settle();
    assert.equal(page.one('h1').textContent, 'late');
    assert.equal(shown(page), 'late v3');
    assert.deepEqual(page.requests(), [`${MODEL}?limit=100&offset=0`, `${MODEL}/versions/3`]);
  });

  test('says why there is nothing, and tries again', async () => {
    const page = await show({ [MODEL]: refuse('no model late', 'did you mean late-flights?') });
    assert.match(page.text, /no model late did you mean late-flights\? Try again/);
    page.answers[MODEL] = detail();
    await page.click('Try again');
    assert.equal(shown(page), 'late v3');
  });

  test('of a model without versions has neither a chart nor a version', async () => {
    const none = detail({ versions: [], version_count: 0, last_version: null, metric_names: [] });
    const page = await show({ [MODEL]: none });
    assert.match(page.text, /No versions/);
    assert.equal(page.all('figure').length + page.all('article').length, 0);
    assert.deepEqual(page.requests(), [`${MODEL}?limit=100&offset=0`]);
  });

  test('shows the version that is picked: by its number, its row, its point or its alias', async () => {
    const page = await show({
      [MODEL]: detail({ alias_list: [alias('champion', 2, true)], description: 'Is it late?' })
    });
    assert.equal(page.one('header p').textContent, 'Is it late?');
    await page.click('v1');
    assert.equal(shown(page), 'late v1');
    await page.click(page.one('tr[data-version=3]'));
    assert.equal(shown(page), 'late v3');
    await page.click(/champion.*v2/);
    assert.equal(shown(page), 'late v2');
    await page.click(page.all('.jp-mlops-Chart-point')[0]);
    assert.equal(shown(page), 'late v1');
    assert.deepEqual(
      page.all('tr[aria-selected=true]').map(row => row.getAttribute('data-version')),
      ['1']
    );
  });

  test('a version that cannot be read says so in its place, and the list stays', async () => {
    const path = `${MODEL}/versions/3`;
    const page = await show({ [path]: refuse('its envelope is damaged') });
    assert.match(page.one('.jp-mlops-ModelTab-detail').textContent, /its envelope is damaged/);
    assert.equal(page.all('tbody tr').length, 3);
    page.answers[path] = whole(3);
    await page.click('Try again');
    assert.equal(shown(page), 'late v3');
  });

  test('is fetched again when a model changes, and when rings were missed', async () => {
    const page = await show();
    page.requests();
    await page.ring(['run', 'schedule']);
    assert.deepEqual(page.requests(), []);
    page.answers[MODEL] = detail({ versions: [version(4), version(3)], version_count: 2 });
    page.answers[`${MODEL}/versions/4`] = whole(4);
    await page.ring(['model']);
    assert.ok(page.requests().includes(`${MODEL}?limit=100&offset=0`));
    assert.equal(shown(page), 'late v4'); // nobody has picked another
    await page.ring(['run'], 1);
    assert.ok(page.requests().includes(`${MODEL}?limit=100&offset=0`));
  });

  test('an alias that was moved is shown where it stands now', async () => {
    const at = 'PUT models/late/aliases/best';
    const page = await show({ [MODEL]: detail({ alias_list: [alias('best', 1)] }), [at]: {} });
    await page.click('Move an alias here…');
    page.answers[MODEL] = detail({ alias_list: [alias('best', 3)] });
    await page.click('best (from v1)');
    assert.deepEqual(page.texts('header .jp-mlops-Alias')[0], 'best v3');
    assert.ok(page.has('Take the alias best away'));
  });

  test('turns the pages of many versions', async () => {
    const page = await show({ [MODEL]: detail({ version_count: 250 }) });
    page.requests();
    assert.ok(page.button('Newer').disabled);
    page.answers[MODEL] = detail({ version_count: 250, offset: 100 });
    await page.click('Older');
    assert.equal(page.requests()[0], `${MODEL}?limit=100&offset=100`);
    assert.match(page.one('nav').textContent, /101–103 \/ 250/);
  });

  test('tells the moves of aliases, also away and for the first time', async () => {
    const page = await show({
      [MODEL]: detail({
        alias_history: [move('best', 2, null, 'eve'), move('best', 1, 2), move('best', null, 1)]
      })
    });
    assert.deepEqual(page.texts('.jp-mlops-History li'), [
      'best v2 → – eve, 3 h ago',
      'best v1 → v2 ada, 3 h ago',
      'best – → v1 ada, 3 h ago'
    ]);
    assert.equal((await show()).all('.jp-mlops-History').length, 0);
  });
});

describe('comparing versions', () => {
  const tick = (page: Page, number: number): Promise<void> =>
    page.click(page.field(`Compare version ${number}`));

  test('begins with the second one that is ticked, the older first', async () => {
    const page = await show();
    page.requests();
    await tick(page, 3);
    assert.equal(shown(page), 'late v3');
    await tick(page, 1);
    assert.deepEqual(page.requests(), [`${MODEL}/compare?versions=1,3`]);
    assert.equal(page.all('article').length, 0);
    assert.equal(page.all('tr[aria-selected=true]').length, 2);
    assert.equal(page.all('.jp-mlops-Chart-point.jp-mod-selected').length, 2);
  });

  test('ends with a tick less, or with a click on one', async () => {
    const page = await show();
    await tick(page, 1);
    await tick(page, 2);
    await tick(page, 1);
    assert.equal(shown(page), 'late v3');
    await tick(page, 1);
    await page.click('v1');
    assert.equal(shown(page), 'late v1');
    assert.ok(!page.field('Compare version 2').checked);
  });

  test('takes four at most: the oldest goes', async () => {
    const five = detail({ versions: [5, 4, 3, 2, 1].map(number => version(number)) });
    const page = await show({ [MODEL]: five, [`${MODEL}/versions/5`]: whole(5) });
    for (const number of [5, 4, 3, 2, 1]) {
      await tick(page, number);
    }
    assert.equal(page.requests().pop(), `${MODEL}/compare?versions=2,3,4,5`);
    assert.ok(!page.field('Compare version 1').checked);
  });

  test('says what went wrong', async () => {
    const page = await show({ [`${MODEL}/compare`]: refuse('version 1 was removed') });
    await tick(page, 1);
    await tick(page, 2);
    assert.match(page.one('[role=alert]').textContent, /version 1 was removed/);
    page.answers[`${MODEL}/compare`] = comparison();
    await page.click('Try again');
    assert.match(page.text, /version 1 version 2/);
  });
});

describe('the charts of a model', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const cases: [string, Parameters<typeof detail>[0], number][] = [
    ['one for each metric', { metric_names: ['auc', 'log_loss'] }, 2],
    ['six at most', { metric_names: names }, 6],
    ['none for a single version', { versions: [version(1)] }, 0],
    ['none without metrics', { metric_names: [] }, 0]
  ];
  for (const [what, changes, count] of cases) {
    test(what, async () =>
      assert.equal((await show({ [MODEL]: detail(changes) })).all('figure').length, count)
    );
  }

  test('go from the oldest to the newest, which stands in the head', async () => {
    const page = await show();
    assert.equal(page.one('figcaption strong').textContent, '0.8');
    assert.match(
      page.one('figure svg').getAttribute('aria-label') ?? '',
      /^auc: version 1: 0.6, version 2: 0.7, version 3: 0.8$/
    );
  });

  test('leave out a version without the metric', async () => {
    const page = await show({
      [MODEL]: detail({ versions: [version(3, { metrics: {} }), version(2), version(1)] })
    });
    assert.equal(page.all('figcaption strong').length, 0);
    assert.equal(page.all('.jp-mlops-Chart-point').length, 2);
    assert.match(page.one('tr[data-version=3]').textContent, /–/);
  });
});
