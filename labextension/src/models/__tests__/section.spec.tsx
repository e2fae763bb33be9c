import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createModels } from '../section';
import { paged, summary } from './builders';
import { Held, Page, refuse } from './page';

const LIST = 'GET models';
const show = (answer: unknown): Promise<Page> => Page.of({ [LIST]: answer }, createModels);

describe('the section Models', () => {
  test('says that it waits, then shows what came', async () => {
    const answer = new Held(paged([summary()]));
    const page = await show(answer);
    assert.equal(page.one('[role=status]').textContent, 'Loading models');
    assert.equal(page.all('li').length, 0);
    answer.release();
    await page.settle();
    assert.equal(page.all('[role=status]').length, 0);
    assert.deepEqual(page.texts('li'), ['late v3 3 h ago auc 0.8']);
  });

  test('says how the first model is made where there is none', async () => {
    const page = await show(paged([]));
    assert.match(page.text, /No models yet .*mlops.register_model\(…\)/);
  });

  test('an error has its cure and a way to try again', async () => {
    const page = await show(refuse('the registry is locked', 'stop the other server'));
    assert.match(page.one('[role=alert]').textContent, /the registry is locked.*stop the other/);
    page.answers[LIST] = paged([summary()]);
    await page.click('Try again');
    assert.equal(page.all('[role=alert]').length, 0);
    assert.equal(page.all('li').length, 1);
  });

  test('what was shown stays when a later answer is an error', async () => {
    const page = await show(paged([summary()]));
    page.answers[LIST] = refuse('too busy');
    await page.ring(['model']);
    assert.equal(page.all('li').length, 1);
    assert.equal(page.all('[role=alert]').length, 0);
  });

  test('a click opens the tab of the model', async () => {
    const name = 'späte-flüge ✈';
    const page = await show(paged([summary({ name })]));
    await page.click(page.one(`[data-model=${name}] button`));
    assert.deepEqual(page.opened, [['model', { name }]]);
  });

  test('it is a new list when a model changes or a ring was missed, and not for a run', async () => {
    const page = await show(paged([summary()]));
    page.requests();
    await page.ring(['run']);
    assert.deepEqual(page.requests(), []);
    await page.ring(['feature', 'model']);
    assert.equal(page.requests().length, 1);
    await page.ring(['run'], 3); // a gap: nobody knows what was in it
    assert.equal(page.requests().length, 1);
  });

  test('a search is sent once typing rests, from the first page', async () => {
    const page = await show(paged([summary()], 120));
    await page.click('On');
    assert.deepEqual(page.requests(), [
      'GET models?offset=0&limit=50',
      'GET models?offset=50&limit=50'
    ]);
    page.answers[LIST] = paged([]);
    await page.fill('Search models', 'l');
    await page.fill('Search models', 'late ');
    page.requests();
    await page.pass(250);
    assert.deepEqual(page.requests(), ['GET models?search=late+&offset=0&limit=50']);
    assert.match(page.text, /No such models/);
    assert.ok(!page.text.includes('register_model'));
  });

  test('Escape empties the search', async () => {
    const page = await show(paged([summary()]));
    await page.fill('Search models', 'xyz');
    await page.press(page.field('Search models'), 'Escape');
    assert.equal(page.field('Search models').value, '');
  });

  test('pages are turned to their ends and no further', async () => {
    const page = await show(paged([summary()], 51));
    assert.ok(page.button('Back').disabled);
    page.answers[LIST] = paged([summary({ name: 'last' })], 51, 50, 50);
    await page.click('On');
    assert.match(page.text, /last .*51–51 \/ 51/);
    assert.ok(page.button('On').disabled);
    assert.ok(!page.button('Back').disabled);
  });
});

describe('a model in the list', () => {
  const row = async (changes: Parameters<typeof summary>[0]): Promise<string> =>
    (await show(paged([summary(changes)]))).texts('li')[0];

  const cases: [string, Parameters<typeof summary>[0], RegExp][] = [
    ['a loss where there is nothing better', { metrics: { log_loss: 0.25 } }, /log_loss 0\.25/],
    ['a metric of zero', { metrics: { r2: 0 } }, /r2 0$/],
    ['its estimator without metrics', { metrics: {} }, /LogisticRegression$/],
    ['nothing registered', { metrics: {}, estimator: '', last_version: null }, /no versions$/],
    ['a huge number of versions', { last_version: 123456 }, /late v123456/],
    ['HTML in a name as text', { name: '<img src=x>' }, /^<img src=x> v3/],
    ['a clock that goes wrong', { updated_at: '2030-01-01T00:00:00Z' }, /just now/],
    [
      'the newest three aliases and how many more',
      { aliases: { old: 1, best: 3, b: 2, c: 2, d: 2 } },
      /best v3 b v2 c v2 \+2$/
    ]
  ];
  for (const [what, changes, expected] of cases) {
    test(`shows ${what}`, async () => assert.match(await row(changes), expected));
  }

  test('tells the whole of it in its tooltip', async () => {
    const page = await show(paged([summary({ description: 'Is it late?' })]));
    assert.match(page.one('li button').getAttribute('title') ?? '', /^late\nIs it late\?\n.*2026/);
  });
});
