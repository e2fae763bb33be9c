import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { paged, summary } from '../../models/__tests__/builders';
import { type Answers, Held, nameOf, Page, refuse } from '../../models/__tests__/page';
import { createDeployments } from '../section';
import { deployment, image } from './builders';

const LIST = 'GET deployments';
type Changes = Parameters<typeof deployment>[0];
const list = (...items: Changes[]) => ({
  items: items.map(changes => deployment(changes)),
  targets: ['local', 'kserve']
});
const show = (answer: unknown, more: Answers = {}): Promise<Page> =>
  Page.of({ [LIST]: answer, 'GET images': paged([]), ...more }, createDeployments);

describe('the section Deployments', () => {
  test('waits, then shows what answers', async () => {
    const held = new Held(list({}, { name: 'wind', model: 'wind', target: 'kserve' }));
    const page = await show(held);
    assert.equal(page.text, 'Loading deployments');
    held.release();
    await page.settle();
    assert.deepEqual(page.texts('li'), [
      'flights 3 h ago late · v3 local',
      'wind 3 h ago v3 kserve'
    ]);
  });

  test('says what a deployment is where there is none', async () => {
    assert.match((await show(list())).text, /Nothing is served A deployment answers requests/);
  });

  test('an error has its cure and is tried again', async () => {
    const page = await show(refuse('no access', 'log in'));
    assert.match(page.one('[role=alert]').textContent, /no access.*log in/);
    page.answers[LIST] = list({});
    await page.click('Try again');
    assert.equal(page.all('li').length, 1);
  });

  test('images that cannot be told leave the list as it is', async () => {
    const page = await show(list({}), { 'GET images': refuse('no registry') });
    assert.equal(page.all('li').length, 1);
    assert.equal(page.all('[role=alert]').length, 0);
  });

  const rings: [string[], number, number][] = [
    [['deployment'], 0, 2],
    [['model', 'run'], 0, 0],
    [['run'], 1, 2]
  ];
  for (const [kinds, lost, count] of rings) {
    test(`a ring for ${kinds} after ${lost} lost ones asks ${count} times`, async () => {
      const page = await show(list({}));
      page.requests();
      await page.ring(kinds, lost);
      assert.equal(page.requests().length, count);
    });
  }

  test('opens a deployment', async () => {
    const page = await show(list({ name: 'a<b>' }));
    await page.click(page.one('li button'));
    assert.deepEqual(page.opened, [['deployment', { name: 'a<b>' }]]);
  });

  test('deploys, opens what was deployed and closes the form', async () => {
    const page = await show(list(), {
      'GET models': paged([summary()]),
      'POST deployments': deployment()
    });
    const button = page.button('Deploy a model');
    await page.click(button);
    assert.equal(button.getAttribute('aria-expanded'), 'true');
    assert.doesNotMatch(page.text, /Nothing is served/);
    page.answers[LIST] = list({});
    await page.click('Deploy');
    assert.deepEqual(page.opened, [['deployment', { name: 'flights' }]]);
    assert.equal(page.all('form').length, 0);
    assert.equal(page.all('li').length, 1);
  });

  test('the form is closed without a deed', async () => {
    const page = await show(list(), { 'GET models': paged([summary()]) });
    await page.click('Deploy a model');
    await page.click('Cancel');
    assert.equal(page.all('form').length, 0);
    assert.deepEqual(page.deeds(), []);
  });
});

describe('a deployment in the list', () => {
  const rows: [string, Changes, string][] = [
    [
      'a canary',
      { traffic: { '3': 0.9, '4': 0.1 } },
      'flights 3 h ago late · v3 90 % · v4 10 % local'
    ],
    ['an alias', { alias: 'champion' }, 'flights 3 h ago late · v3 · follows champion local'],
    ['nothing served', { traffic: {} }, 'flights 3 h ago late local'],
    [
      'a clock that is ahead',
      { updated_at: '2026-01-02T12:01:00Z' },
      'flights just now late · v3 local'
    ]
  ];
  for (const [what, changes, expected] of rows) {
    test(`with ${what}`, async () =>
      assert.deepEqual((await show(list(changes))).texts('li'), [expected]));
  }

  test('tells its state by a sign and its words in tooltips', async () => {
    const page = await show(list({ state: 'degraded', message: '1 of 2 replicas' }));
    assert.equal(nameOf(page.one('svg')), 'failed');
    assert.ok(page.one('[title=degraded]'));
    const title = page.one('li button').getAttribute('title') ?? '';
    assert.match(title, /^flights\nhttp:\/\/127.0.0.1:8080\n1 of 2 replicas\n/);
  });
});

describe('the images', () => {
  const told = async (...images: ReturnType<typeof image>[]): Promise<string[]> =>
    (await show(list(), { 'GET images': paged(images) })).texts('.jp-mlops-Images li');

  test('are not there where there are none', async () => {
    assert.doesNotMatch((await show(list())).text, /Images/);
  });

  test('are told with where they are, and all are counted', async () => {
    const page = await show(list(), { 'GET images': paged([image('a:1')], 21, 20) });
    assert.match(page.text, /Images 21 a:1/);
    assert.deepEqual(page.requests()[1], 'GET images?limit=20');
    assert.deepEqual(
      await told(
        image('a:1'),
        image('<b>', { is_pushed: false, is_signed: true, size_bytes: 0, source: '' })
      ),
      ['a:1 models:/late/3 · 1.0 GiB', '<b> 0 B · not pushed · signed']
    );
  });

  test('of one digest may have several names', async () => {
    assert.equal((await told(image('a'), image('b', { digest: 'sha256:a' }))).length, 2);
  });
});
