import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parameter, problem } from '../../__tests__/samples';
import { type Answers, Held, Page, refuse } from '../../models/__tests__/page';
import { AddSchedule } from '../addForm';
import { pipeline, summary } from './builders';

const A = 'flights/pipeline.yaml';
const B = 'wind/pipeline.yaml';
const ADD = 'POST schedules';
const NO_QUOTAS = { is_set: false, user_name: '', group_name: '', queues: [], limits: [] };
const closed: string[] = [];

const show = (changes: Answers = {}): Promise<Page> => {
  closed.length = 0;
  return Page.of(
    {
      'GET pipelines': { items: [summary(A), summary(B)], total: 2, limit: 500, offset: 0 },
      [`GET pipelines/${A}`]: pipeline(A, [parameter('week', { maximum: 53 })]),
      [`GET pipelines/${B}`]: pipeline(B),
      'GET cron': { expression: '0 6 * * MON', timezone: 'Europe/Berlin', next: [] },
      'GET quotas': NO_QUOTAS,
      [ADD]: { items: [], scheduler: null },
      ...changes
    },
    context => <AddSchedule context={context} onClose={() => closed.push('closed')} />
  );
};
/** What was sent, without the zone of the machine that tests. */
const sent = (page: Page): Record<string, unknown> => {
  const [deed, ...others] = page.deeds();
  assert.ok(deed?.startsWith(`${ADD} `) && !others.length, `sent: ${deed}`);
  return JSON.parse(deed.slice(ADD.length + 1));
};

describe('the form of a schedule', () => {
  test('waits for the pipelines, and offers the first', async () => {
    const held = new Held({ items: [summary(A)], total: 1, limit: 500, offset: 0 });
    const page = await show({ 'GET pipelines': held });
    assert.equal(page.text, 'Loading');
    held.release();
    await page.settle();
    assert.equal(page.field('Pipeline').value, A);
    assert.equal(page.field('Name').value, 'main');
  });

  test('says that there is nothing to run where there is no pipeline', async () => {
    const page = await show({ 'GET pipelines': { items: [], total: 0, limit: 500, offset: 0 } });
    assert.equal(page.text, 'There is no pipeline to run yet.');
  });

  test('says why there are no pipelines, or why one cannot be read', async () => {
    const none = await show({ 'GET pipelines': refuse('the root is gone', 'mount it') });
    assert.match(none.text, /the root is gone mount it/);
    const broken = await show({ [`GET pipelines/${A}`]: refuse('no YAML', 'line 3') });
    assert.match(broken.text, /no YAML line 3/);
  });

  test('says why another pipeline cannot be chosen, and keeps the one it has', async () => {
    const page = await show({ [`GET pipelines/${B}`]: refuse('no YAML', 'line 3') });
    await page.fill('Pipeline', B);
    assert.match(page.one('[role=alert]').textContent, /no YAML.*line 3/);
    assert.equal(page.field('Pipeline').value, A);
  });

  test('begins in the zone of the browser', async () => {
    const page = await show();
    assert.equal(
      page.field('Time zone').value,
      new Intl.DateTimeFormat().resolvedOptions().timeZone
    );
  });

  test('of another pipeline has its arguments', async () => {
    const page = await show();
    assert.equal(page.field(/^week/).value, '3');
    await page.fill('Pipeline', B);
    assert.equal(page.field('Pipeline').value, B);
    assert.ok(!page.has('week int', 'input'));
    assert.doesNotMatch(page.text, /Arguments/);
  });

  test('sends what was chosen, says so and closes', async () => {
    const page = await show();
    await page.fill('Name', 'weekly');
    await page.fill('Cron', '0 7 * * *');
    await page.fill('Time zone', 'Europe/Berlin');
    await page.fill(/^week/, '12');
    await page.fill('While an earlier run goes on', 'cancel');
    await page.fill('Fires that were missed', 'all');
    await page.click('Add');
    assert.deepEqual(sent(page), {
      path: A,
      name: 'weekly',
      cron: '0 7 * * *',
      timezone: 'Europe/Berlin',
      overlap: 'cancel',
      catch_up: 'all',
      arguments: { week: '12' }
    });
    assert.deepEqual(page.said, ['flights.weekly runs by itself from now on']);
    assert.deepEqual(closed, ['closed']);
  });

  test('sends no argument that is as it was', async () => {
    const page = await show();
    await page.click('Add');
    const { arguments: args, overlap, catch_up: catchUp } = sent(page);
    assert.deepEqual([args, overlap, catchUp], [{}, 'skip', 'last']);
  });

  test('cannot be sent twice', async () => {
    const held = new Held({ items: [], scheduler: null });
    const page = await show({ [ADD]: held });
    await page.click('Add');
    assert.ok(page.button('Checking…').disabled);
    held.release();
    await page.settle();
    assert.equal(page.deeds().length, 1);
  });

  test('tells what the server says against it, at the field that is meant', async () => {
    const problems = [problem('is no week', { parameter: 'week' })];
    const page = await show({ [ADD]: refuse('cannot be scheduled', 'look below', { problems }) });
    await page.click('Add');
    assert.match(page.one('.jp-mlops-Failure').textContent, /cannot be scheduled.*look below/);
    assert.equal(page.one('.jp-mlops-Field-wrong').textContent, 'is no week');
    assert.equal(page.field(/^week/).getAttribute('aria-invalid'), 'true');
    assert.ok(!page.button('Add').disabled);
    page.answers[ADD] = { items: [], scheduler: null };
    await page.click('Add');
    assert.deepEqual(closed, ['closed']);
  });

  test('Cancel sends nothing', async () => {
    const page = await show();
    await page.click('Cancel');
    assert.deepEqual([closed, page.deeds()], [['closed'], []]);
  });
});

describe('an argument of a schedule', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['7', ''],
    ['54', 'must be at most 53'],
    ['x', 'must be a whole number'],
    ['${schedule.data_interval_start.date}', ''],
    ['week ${x}', '']
  ];
  for (const [text, wrong] of cases) {
    test(`${JSON.stringify(text)}: ${wrong || 'fine'}`, async () => {
      const page = await show();
      await page.fill(/^week/, text);
      assert.equal(page.texts('.jp-mlops-Field-wrong').join(), wrong);
    });
  }

  test('may belong to the fire, whatever its type: it is typed as text, and what a fire has is offered', async () => {
    const page = await show();
    const field = page.field(/^week/);
    assert.equal(field.type, 'text');
    const offers = page.all('datalist').find(one => one.id === field.getAttribute('list'))!;
    assert.ok(offers.textContent.length === 0);
    assert.ok(
      offers.children.some(
        one => one.getAttribute('value') === '${schedule.data_interval_start.date}'
      )
    );
    await page.fill(/^week/, '${schedule.x}');
    await page.click('Add');
    assert.deepEqual(sent(page).arguments, { week: '${schedule.x}' });
  });
});

describe('the bounds of a schedule', () => {
  test('are sent where they are given, and it may begin paused', async () => {
    const page = await show();
    await page.fill('Not before', ' 2026-01-31 ');
    await page.fill('Not from then on', '2026-12-31T06:00');
    await page.fill('Late by up to', '10m');
    await page.click(page.field(/^Paused/));
    await page.click('Add');
    const { start, end, jitter_seconds: jitter, is_paused: isPaused } = sent(page);
    assert.deepEqual(
      [start, end, jitter, isPaused],
      ['2026-01-31', '2026-12-31T06:00', '10m', true]
    );
  });

  const cases: [where: string, label: string | RegExp][] = [
    ['cron', 'Cron'],
    ['timezone', 'Time zone'],
    ['start', 'Not before'],
    ['end', 'Not from then on'],
    ['jitter_seconds', 'Late by up to']
  ];
  for (const [where, label] of cases) {
    test(`are told at the field ${label} when ${where} is wrong, and not twice`, async () => {
      const problems = [problem('is odd', { where, hint: 'mend it' })];
      const page = await show({ [ADD]: refuse('is odd', 'mend it', { problems }) });
      await page.click('Add');
      assert.deepEqual(page.texts('[role=alert]'), ['is odd; mend it']);
      const field = page.field(label);
      assert.equal(field.getAttribute('aria-invalid'), 'true');
      const told = String(field.getAttribute('aria-describedby')).split(' ');
      assert.ok(told.includes(page.one('[role=alert]').id));
    });
  }

  test('in no zone is in UTC', async () => {
    const page = await show();
    await page.fill('Time zone', ' ');
    await page.click('Add');
    assert.equal(sent(page).timezone, 'UTC');
  });
});

describe('the next fires', () => {
  const NEXT = ['2026-01-05T05:00:00Z', '2026-01-12T05:00:00Z'];
  const preview = { expression: '0 6 * * MON', timezone: 'Europe/Berlin', next: NEXT };
  const told = (page: Page): string => page.texts('.jp-mlops-NextFires').join();

  test('are shown by the clock of their zone', async () => {
    const page = await show({ 'GET cron': preview });
    assert.equal(told(page), 'Next Mon 2026-01-05 06:00 Mon 2026-01-12 06:00');
    assert.equal(page.one('.jp-mlops-NextFires').getAttribute('role'), 'status');
  });

  test('are asked for once typing rests', async () => {
    const page = await show({ 'GET cron': preview });
    await page.fill('Time zone', 'UTC');
    await page.fill('Cron', '0 7 * * ');
    await page.fill('Cron', '0 7 * * *');
    page.requests();
    await page.pass(250);
    assert.deepEqual(
      page.requests().map(one => Object.fromEntries(new URLSearchParams(one.split('?')[1]))),
      [{ expression: '0 7 * * *', timezone: 'UTC', count: '3' }]
    );
  });

  test('are what is wrong with the expression, until it is mended', async () => {
    const page = await show({ 'GET cron': preview });
    page.answers['GET cron'] = refuse('no day FOO', 'MON to SUN');
    await page.fill('Cron', '0 6 * * FOO');
    await page.pass(250);
    assert.equal(told(page), 'no day FOO MON to SUN');
    page.answers['GET cron'] = preview;
    await page.fill('Cron', '0 6 * * MON');
    await page.pass(250);
    assert.match(told(page), /^Next Mon/);
  });
});

describe('the queue of a schedule', () => {
  const QUOTAS = { ...NO_QUOTAS, is_set: true, queues: ['default', 'gpu'] };

  test('is asked for only where there are quotas', async () => {
    assert.doesNotMatch((await show()).text, /Queue and priority/);
    assert.match((await show({ 'GET quotas': QUOTAS })).text, /Queue and priority/);
    const one = await show({ 'GET quotas': { ...QUOTAS, queues: ['default'] } });
    assert.ok(!one.has('Queue', 'select'));
  });

  test('is sent with how urgent its runs are', async () => {
    const page = await show({ 'GET quotas': QUOTAS });
    await page.fill('Queue', 'gpu');
    await page.fill('Priority', '-5');
    await page.click(page.field(/make way/));
    await page.click('Add');
    const { queue, priority, is_preemptible: isPreemptible } = sent(page);
    assert.deepEqual([queue, priority, isPreemptible], ['gpu', -5, true]);
  });
});
