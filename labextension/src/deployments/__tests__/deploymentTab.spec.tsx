import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Answers, Held, nameOf, Page, refuse } from '../../models/__tests__/page';
import { create } from '../deploymentTab';
import { detail, replica, revision } from './builders';

const ONE = 'GET deployments/flights';
const POST = 'POST deployments/flights';
const REMOVE = 'DELETE deployments/flights';
const show = (answer: unknown = detail(), more: Answers = {}): Promise<Page> =>
  Page.of({ [ONE]: answer, ...more }, context => create(context, { name: 'flights' }));
const fact = (page: Page, name: string): string | undefined =>
  page.texts('dd')[page.texts('dt').indexOf(name)];

describe('the tab of a deployment', () => {
  test('waits, then tells how it is', async () => {
    const held = new Held(detail());
    const page = await show(held);
    assert.equal(page.text, 'Loading the deployment');
    held.release();
    await page.settle();
    assert.equal(page.texts('header').join(), 'flights running Stop Remove');
    assert.equal(nameOf(page.all('header svg')[0]), 'succeeded');
    assert.equal(fact(page, 'answers at'), 'http://127.0.0.1:8080');
    assert.equal(fact(page, 'target'), 'local');
    assert.equal(fact(page, 'revision'), '3 · deploy');
    assert.equal(page.all('[role=alert]').length, 0);
  });

  test('says what is wrong, and tries again', async () => {
    const page = await show(refuse('no such deployment', 'did you mean wind?'));
    assert.match(page.text, /no such deployment did you mean wind\? Try again/);
    page.answers[ONE] = detail();
    await page.click('Try again');
    assert.equal(page.one('h1').textContent, 'flights');
  });

  test('leads to the model', async () => {
    const page = await show(detail({}, { alias: 'champion' }));
    assert.equal(fact(page, 'model'), 'late · follows champion');
    await page.click('late');
    assert.deepEqual(page.opened, [['model', { name: 'late' }]]);
  });

  const facts: [string, Parameters<typeof detail>, string, string | undefined][] = [
    ['no address yet', [{}, { url: '' }], 'answers at', '–'],
    ['a shadow', [{}, { shadow: { '5': 1 } }], 'shadow', 'v5'],
    ['no shadow', [{}], 'shadow', undefined],
    ['an image', [{}, { image: 'late:<3>' }], 'image', 'late:<3>'],
    ['no image', [{}], 'image', undefined],
    ['nothing measured', [{}], 'answered', undefined],
    [
      'no requests',
      [{ metrics: { requests: 0, p50_seconds: 0 } }],
      'answered',
      '0 requests · 0 errors'
    ],
    [
      'many requests',
      [
        {
          metrics: {
            requests: 1_234_567,
            errors: 12,
            requests_per_second: 99.96,
            p50_seconds: 0.0014,
            p99_seconds: 2.12
          }
        }
      ],
      'answered',
      '1,234,567 requests · 12 errors · 100 a second · half within 1.4 ms · 99 % within 2.1 s'
    ]
  ];
  for (const [what, changes, name, expected] of facts) {
    test(`tells ${what}`, async () =>
      assert.equal(fact(await show(detail(...changes)), name), expected));
  }

  const troubles: [string, Parameters<typeof detail>, string][] = [
    ['what is wrong with it', [{ trouble: 'no route' }, { message: 'old' }], 'no route'],
    ['what it said last', [{}, { message: 'exit code <9>' }], 'exit code <9>']
  ];
  for (const [what, changes, expected] of troubles) {
    test(`alerts with ${what}`, async () =>
      assert.equal((await show(detail(...changes))).one('[role=alert]').textContent, expected));
  }

  test('what it is now counts more than what was stored', async () => {
    const page = await show(detail({ live_state: 'degraded', live_message: '1 of 2' }));
    assert.match(page.texts('header').join(), /^flights degraded/);
    assert.equal(nameOf(page.all('header svg')[0]), 'failed');
    assert.ok(page.one('[title=1 of 2]'));
  });
});

describe('what goes on in a deployment', () => {
  test('is looked for every few seconds, as nothing rings for it', async () => {
    const page = await show();
    page.requests();
    await page.pass(2999);
    assert.deepEqual(page.requests(), []);
    page.answers[ONE] = detail({ metrics: { requests: 7 } });
    await page.pass(1);
    assert.deepEqual(page.requests(), [ONE]);
    assert.equal(fact(page, 'answered'), '7 requests · 0 errors');
    await page.close();
    assert.deepEqual(page.requests(), []);
  });

  test('stays on the page while the server does not answer', async () => {
    const page = await show();
    page.answers[ONE] = null;
    await page.pass(3000);
    assert.equal(page.one('h1').textContent, 'flights');
  });

  const rings: [string[], number, number][] = [
    [['deployment'], 0, 1],
    [['model'], 0, 1],
    [['run'], 0, 0],
    [['run'], 1, 1]
  ];
  for (const [kinds, lost, count] of rings) {
    test(`a ring for ${kinds} after ${lost} lost ones asks ${count} times`, async () => {
      const page = await show();
      page.requests();
      await page.ring(kinds, lost);
      assert.equal(page.requests().length, count);
    });
  }

  test('is told replica by replica', async () => {
    const replicas = [
      replica('a-1', { requests: 12_345, errors: 1 }),
      replica('a-2', { state: 'failed', revision: 2, restarts: 9, message: 'out of <memory>' })
    ];
    const page = await show(detail({ replicas }));
    const rows = page.all('tr[title]');
    assert.deepEqual(
      page
        .texts('tr[title]')
        .map(text => text.replace(/(succeeded|failed) (?=running|failed)/, '')),
      ['a-1 running 3 12,345 1 0', 'a-2 failed 2 0 0 9']
    );
    assert.equal(rows[1].getAttribute('title'), 'out of <memory>');
    assert.doesNotMatch((await show()).text, /Replicas/);
  });

  const traffics: [Record<string, number>, string[], string][] = [
    [{ '3': 1 }, ['v3'], 'Traffic: v3 100 %'],
    [{ '4': 0.1, '3': 0.9 }, ['v3 90 %', 'v4 10 %'], 'Traffic: v3 90 %, v4 10 %']
  ];
  for (const [traffic, pieces, said] of traffics) {
    test(`the bar of ${pieces} has its shares`, async () => {
      const page = await show(detail({}, { traffic }));
      const bar = page.one('.jp-mlops-Traffic');
      assert.deepEqual(
        bar.children.map(one => one.textContent),
        pieces
      );
      assert.equal(nameOf(bar), said);
      const shares = bar.children.map(one => Number(one.style.flexGrow));
      assert.deepEqual(
        shares,
        Object.values(traffic).sort((a, b) => b - a)
      );
    });
  }

  test('without traffic has no bar', async () => {
    assert.equal((await show(detail({}, { traffic: {} }))).all('.jp-mlops-Traffic').length, 0);
  });
});

describe('what is done to a deployment', () => {
  const deeds: [string, string, string][] = [
    ['Stop', 'running', `${POST}/stop`],
    ['Stop', 'failed', `${POST}/stop`],
    ['Start', 'stopped', `${POST}/start`]
  ];
  for (const [button, state, request] of deeds) {
    test(`${button} of one that is ${state}`, async () => {
      const page = await show(detail({ live_state: state }), { [request]: {} });
      page.requests();
      await page.click(button);
      assert.deepEqual(page.requests(), [request, ONE]);
    });
  }

  test('elsewhere it cannot be stopped, one that was removed cannot be anything', async () => {
    assert.deepEqual((await show(detail({}, { target: 'kserve' }))).buttons, [
      'Remove',
      'late',
      'Roll back to it'
    ]);
    assert.deepEqual((await show(detail({ live_state: 'removed' }))).buttons, ['late']);
  });

  test('one deed at a time', async () => {
    const held = new Held({});
    const page = await show(detail(), { [`${POST}/stop`]: held });
    await page.click('Stop');
    assert.ok(['Stop', 'Remove', 'Roll back to it'].every(name => page.button(name).disabled));
    held.release();
    await page.settle();
    assert.ok(!page.button('Stop').disabled);
  });

  test('is reported where it fails, and can be tried again', async () => {
    const page = await show(detail(), { [`${POST}/stop`]: refuse('not yours', 'ask eve') });
    await page.click('Stop');
    assert.deepEqual(page.reported, ['not yours; ask eve']);
    assert.ok(!page.button('Stop').disabled);
  });

  test('it is removed at the second click, and not when one goes elsewhere', async () => {
    const page = await show(detail(), { [REMOVE]: undefined });
    await page.click('Remove');
    await page.leave(page.button('Take it away for good'));
    await page.click('Remove');
    assert.deepEqual(page.deeds(), []);
    page.answers[ONE] = detail({ live_state: 'removed' });
    await page.click('Take it away for good');
    assert.deepEqual(page.deeds(), [REMOVE]);
    assert.deepEqual(page.buttons, ['late']);
  });
});

describe('the history of a deployment', () => {
  const HISTORY = detail({
    revisions: [
      revision(3, { reason: 'rollback' }),
      revision(2, { traffic: { '1': 0.5, '2': 0.5 }, user_name: 'eve' }),
      revision(1, { reason: '<deploy>' })
    ]
  });

  test('tells who served what, when and why', async () => {
    assert.deepEqual((await show(HISTORY)).texts('tr[data-revision]'), [
      '3 v3 rollback 3 h ago ada',
      '2 v2 50 % · v1 50 % deploy 3 h ago eve Roll back to it',
      '1 v1 <deploy> 3 h ago ada Roll back to it'
    ]);
  });

  test('is gone back in to any revision but the present', async () => {
    const page = await show(HISTORY, { [`${POST}/rollback`]: {} });
    const [first, second] = page.all('tr[data-revision] button');
    await page.click(second);
    await page.click(first);
    assert.deepEqual(page.deeds(), [`${POST}/rollback {"to":1}`, `${POST}/rollback {"to":2}`]);
  });
});
