import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Held, nameOf, Page, refuse } from '../../models/__tests__/page';
import { createSchedules, FireMark } from '../section';
import { fire, pipeline, schedule, summary } from './builders';

const LIST = 'GET schedules';
type Changes = Parameters<typeof schedule>[0];
const list = (items: Changes[], scheduler: string | null = 'this server') => ({
  items: items.map(changes => schedule(changes)),
  scheduler
});
const show = (answer: unknown, more = {}): Promise<Page> =>
  Page.of({ [LIST]: answer, ...more }, createSchedules);

describe('the section Schedules', () => {
  test('waits, then shows what fires when', async () => {
    const held = new Held(list([{}, { name: 'b.daily', next_at: null }]));
    const page = await show(held);
    assert.equal(page.text, 'Loading schedules');
    held.release();
    await page.settle();
    assert.deepEqual(page.texts('li'), [
      'flights.weekly in 3h 00m 0 6 * * MON · Europe/Berlin',
      'b.daily never 0 6 * * MON · Europe/Berlin'
    ]);
    assert.doesNotMatch(page.text, /Nothing fires them/);
  });

  test('says what a schedule is where there is none', async () => {
    const page = await show(list([], null));
    assert.match(page.text, /Nothing runs by itself A schedule runs a pipeline/);
    assert.doesNotMatch(page.text, /Nothing fires them/);
  });

  test('says that nobody fires them, and what does', async () => {
    assert.match(
      (await show(list([{}], null))).text,
      /Nothing fires them yet.*jupyter mlops scheduler/
    );
  });

  test('an error has its cure and is tried again', async () => {
    const page = await show(refuse('the store is locked', 'wait a moment'));
    assert.match(page.one('[role=alert]').textContent, /the store is locked.*wait a moment/);
    page.answers[LIST] = list([{}]);
    await page.click('Try again');
    assert.equal(page.all('li').length, 1);
  });

  test('time goes on by itself: what comes is due at last', async () => {
    const page = await show(list([{ next_at: '2026-01-02T12:00:02Z' }]));
    assert.match(page.texts('li')[0], /in 2\.0s/);
    await page.pass(1000);
    assert.match(page.texts('li')[0], /in 1\.0s/);
    await page.pass(1000);
    assert.match(page.texts('li')[0], /due/);
  });

  const rings: [string[], number, number][] = [
    [['schedule'], 0, 1],
    [['run'], 0, 1],
    [['model'], 0, 0],
    [['model'], 4, 1]
  ];
  for (const [kinds, lost, count] of rings) {
    test(`a ring for ${kinds} after ${lost} lost ones asks ${count} times`, async () => {
      const page = await show(list([{}]));
      page.requests();
      await page.ring(kinds, lost);
      assert.equal(page.requests().length, count);
    });
  }

  test('opens a schedule', async () => {
    const page = await show(list([{ name: 'flüge.<x>' }]));
    await page.click(page.one('li button'));
    assert.deepEqual(page.opened, [['schedule', { name: 'flüge.<x>' }]]);
    assert.equal(page.one('.jp-mlops-name').textContent, 'flüge.<x>');
  });

  test('opens the form of a new one and closes it; the list is fetched again', async () => {
    const page = await show(list([]), {
      'GET pipelines': { items: [summary('a/pipeline.yaml')], total: 1, limit: 500, offset: 0 },
      'GET pipelines/a/pipeline.yaml': pipeline('a/pipeline.yaml'),
      'GET cron': { expression: '0 6 * * MON', timezone: 'UTC', next: [] },
      'GET quotas': { is_set: false, user_name: '', group_name: '', queues: [], limits: [] }
    });
    const button = page.button('Add a schedule');
    assert.equal(button.getAttribute('aria-expanded'), 'false');
    await page.click(button);
    assert.equal(button.getAttribute('aria-expanded'), 'true');
    assert.equal(page.all('form').length, 1);
    assert.doesNotMatch(page.text, /Nothing runs by itself/);
    page.requests();
    await page.click('Cancel');
    assert.equal(page.all('form').length, 0);
    assert.deepEqual(page.requests(), [LIST]);
  });
});

describe('a schedule in the list', () => {
  const cases: [string, Changes, RegExp][] = [
    ['that is paused', { is_paused: true }, /^flights.weekly paused 0 6/],
    ['that has never fired', { last: null }, /Berlin$/],
    ['that fired', { last: fire('failed') }, /· Europe\/Berlin 7 h ago$/],
    ['that missed its fire', { last: fire('missed') }, /missed 7 h ago$/]
  ];
  for (const [what, changes, expected] of cases) {
    test(what, async () => assert.match((await show(list([changes]))).texts('li')[0], expected));
  }

  const states = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped'] as const;
  for (const state of states) {
    test(`tells a fire that is ${state} by a sign`, async () => {
      const page = await show(list([{ last: fire(state) }]));
      assert.equal(nameOf(page.one('svg')), state);
    });
  }

  test('tells in words what became of a fire, where there is room', async () => {
    const page = await Page.of({}, () => (
      <>
        <FireMark state="succeeded" reason="" isNamed />
        <FireMark state="missed" reason="nobody was there" isNamed />
      </>
    ));
    assert.equal(page.text, 'succeeded missed');
    assert.equal(page.one('.jp-mlops-Badge').getAttribute('title'), 'nobody was there');
  });
});
