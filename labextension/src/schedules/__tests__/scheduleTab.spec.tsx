import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Answers, Held, Page, refuse } from '../../models/__tests__/page';
import { detail, fire } from './builders';
import { create } from '../scheduleTab';

const ONE = 'GET schedules/flights.weekly';
const POST = 'POST schedules/flights.weekly';
const REMOVE = 'DELETE schedules/flights.weekly';
const show = (answer: unknown = detail(), more: Answers = {}): Promise<Page> =>
  Page.of({ [ONE]: answer, ...more }, context => create(context, { name: 'flights.weekly' }));

describe('the tab of a schedule', () => {
  test('waits, then tells what it is', async () => {
    const held = new Held(detail());
    const page = await show(held);
    assert.equal(page.text, 'Loading the schedule');
    held.release();
    await page.settle();
    assert.match(
      page.text,
      /^flights.weekly in 3h 00m Pause Remove pipeline flights\/pipeline.yaml cron 0 6 \* \* MON · Europe\/Berlin overlap skip catch-up last fired by this server by ada Next/
    );
  });

  test('says what is wrong, and tries again', async () => {
    const page = await show(refuse('no such schedule', 'did you mean flights.daily?'));
    assert.match(page.text, /no such schedule did you mean flights.daily\? Try again/);
    page.answers[ONE] = detail();
    await page.click('Try again');
    assert.equal(page.one('h1').textContent, 'flights.weekly');
  });

  const facts: [string, Parameters<typeof detail>, RegExp][] = [
    ['jitter', [{}, { jitter_seconds: 90 }], /jitter 1m 30s/],
    ['queue', [{}, { queue: 'gpu' }], /queue gpu/],
    ['priority', [{}, { priority: 5, is_preemptible: true }], /priority 5, may make way/],
    ['nobody fires it', [{ scheduler: null }], /fired by nobody yet/],
    ['arguments', [{}, { parameters: { week: 3, key: '<x>' } }], /week 3 key <x>/],
    ['a problem', [{ problem: 'train.ipynb is missing' }], /train.ipynb is missing/],
    ['paused', [{}, { is_paused: true }], /^flights.weekly paused Resume.*It is paused\./],
    ['over', [{}, { next_at: null }], /^flights.weekly never.*It fires no more\./],
    ['new', [{}], /History It has not fired yet\.$/],
    [
      'outside the root',
      [{}, { path: null, pipeline_path: '/srv/p.yaml' }],
      /pipeline \/srv\/p.yaml/
    ]
  ];
  for (const [what, changes, expected] of facts) {
    test(`tells: ${what}`, async () =>
      assert.match((await show(detail(...changes))).text, expected));
  }

  test('leads to the pipeline', async () => {
    const page = await show();
    await page.click('flights/pipeline.yaml');
    assert.deepEqual(page.opened, [['file', { path: 'flights/pipeline.yaml' }]]);
  });

  test('is fetched again for schedules, runs, and after a gap', async () => {
    const page = await show();
    for (const [kinds, lost, count] of [
      [['schedule'], 0, 1],
      [['run'], 0, 1],
      [['feature'], 0, 0],
      [['feature'], 1, 1]
    ] as const) {
      page.requests();
      await page.ring(kinds, lost);
      assert.equal(page.requests().length, count, `${kinds} ${lost}`);
    }
  });
});

describe('what is done to a schedule', () => {
  const deeds: [string, boolean, string][] = [
    ['Pause', false, `${POST}/pause`],
    ['Resume', true, `${POST}/resume`]
  ];
  for (const [button, isPaused, request] of deeds) {
    test(`${button} asks the server and shows what is true then`, async () => {
      const page = await show(detail({}, { is_paused: isPaused }), { [request]: {} });
      page.answers[ONE] = detail({}, { is_paused: !isPaused });
      await page.click(button);
      assert.deepEqual(page.deeds(), [request]);
      assert.ok(page.has(isPaused ? 'Pause' : 'Resume', 'button'));
    });
  }

  test('is reported where it fails', async () => {
    const page = await show(detail(), { [`${POST}/pause`]: refuse('not yours', 'ask eve') });
    await page.click('Pause');
    assert.deepEqual(page.reported, ['not yours; ask eve']);
    assert.ok(page.has('Pause', 'button'));
  });

  test('it is removed at the second click', async () => {
    const page = await show(detail(), { [REMOVE]: undefined });
    await page.click('Remove');
    assert.deepEqual(page.deeds(), []);
    page.answers[ONE] = refuse('no such schedule');
    await page.click('Remove it and its history');
    assert.deepEqual(page.deeds(), [REMOVE]);
    assert.match(page.text, /no such schedule/);
  });

  test('who goes elsewhere after the first click has removed nothing', async () => {
    const page = await show();
    await page.click('Remove');
    await page.leave(page.button('Remove it and its history'));
    assert.ok(page.has('Remove', 'button'));
    assert.deepEqual(page.deeds(), []);
  });
});

describe('the fires of a schedule', () => {
  test('that come are told by its own clock, with what each is given', async () => {
    const next = [
      { fire_at: '2026-01-05T05:00:00Z', due_at: '2026-01-05T05:00:20Z', arguments: {} },
      {
        fire_at: '2026-01-12T05:00:00Z',
        due_at: '2026-01-12T05:00:00Z',
        arguments: {
          week: 2,
          day: { value: '2026-01-12' },
          mode: 'fast',
          list: ['<a>'],
          none: null
        }
      }
    ];
    const page = await show(detail({ next }));
    assert.deepEqual(page.texts('tbody tr'), [
      'Mon 2026-01-05 06:00 in 3 d',
      'Mon 2026-01-12 06:00 in 10 d week=2 day=2026-01-12 mode=fast list=["<a>"] none=null'
    ]);
    assert.equal(page.all('th')[0].textContent, 'Europe/Berlin');
  });

  const rows: [string, Parameters<typeof fire>, string][] = [
    [
      'that ran',
      [
        'succeeded',
        { run_id: 'r1', started_at: '2026-01-02T05:00:00Z', finished_at: '2026-01-02T05:02:03Z' }
      ],
      'Fri 2026-01-02 06:00 succeeded 2m 03s r1'
    ],
    [
      'that runs',
      ['running', { started_at: '2026-01-02T11:59:48Z' }],
      'Fri 2026-01-02 06:00 running 12s'
    ],
    [
      'that begins by a clock which is ahead of ours',
      ['running', { started_at: '2026-01-02T12:00:30Z' }],
      'Fri 2026-01-02 06:00 running 0.0s'
    ],
    [
      'that were missed together',
      ['missed', { count: 12, reason: 'no scheduler' }],
      'Fri 2026-01-02 06:00 × 12 missed no scheduler'
    ],
    [
      'that was skipped',
      ['skipped', { reason: 'r0 <runs>' }],
      'Fri 2026-01-02 06:00 skipped r0 <runs>'
    ],
    ['that waits', ['queued'], 'Fri 2026-01-02 06:00 queued']
  ];
  for (const [what, args, expected] of rows) {
    test(what, async () => {
      const page = await show(detail({ history: [fire(...args)] }));
      assert.deepEqual(page.texts('tbody tr'), [expected]);
      assert.equal(page.one('tbody tr').getAttribute('data-state'), args[0]);
    });
  }

  test('lead to their runs', async () => {
    const page = await show(detail({ history: [fire('failed', { run_id: 'r9' })] }));
    await page.click('r9');
    assert.deepEqual(page.opened, [['run', { runId: 'r9', title: 'flights' }]]);
  });

  test('that go on count up', async () => {
    const history = [fire('running', { started_at: '2026-01-02T11:59:48Z' })];
    const page = await show(detail({ history }));
    await page.pass(2000);
    assert.match(page.texts('tbody tr')[0], /14s/);
  });
});
