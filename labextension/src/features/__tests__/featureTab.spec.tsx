import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Answers, Held, nameOf, Page, refuse } from '../../models/__tests__/page';
import { batch, detail, drift, expectation, profile } from './builders';
import { create } from '../featureTab';

const VIEW = 'GET features/weather';
const ROWS = `${VIEW}/preview`;
const PREVIEW = {
  columns: [
    { name: 'airport', dtype: 'string' },
    { name: 'at', dtype: 'timestamp' },
    { name: 'temp', dtype: 'float64' }
  ],
  rows: [
    ['JFK', '2026-01-02T09:00:00+00:00', 1.5],
    ['<i>', '2026-01-02T08:30:00.250Z', null]
  ],
  total: 2
};
const answers = (changes: Answers = {}): Answers => ({
  [VIEW]: detail(),
  [ROWS]: PREVIEW,
  ...changes
});
const show = (changes: Answers = {}): Promise<Page> =>
  Page.of(answers(changes), context => create(context, { name: 'weather' }));
/** The part with a title, in words. */
const part = (page: Page, title: string): string =>
  [...page.texts('section'), ...page.texts('details')].find(text => text.startsWith(title)) ?? '';

describe('the tab of a feature view', () => {
  test('waits for the view, then for its rows', async () => {
    const [view, rows] = [new Held(detail()), new Held(PREVIEW)];
    const page = await show({ [VIEW]: view, [ROWS]: rows });
    assert.equal(page.text, 'Loading the feature view');
    view.release();
    await page.settle();
    assert.equal(page.one('h1').textContent, 'weather');
    assert.equal(part(page, 'Newest rows'), 'Newest rows Loading rows');
    rows.release();
    await page.settle();
    assert.equal(page.all('.jp-mlops-Preview tbody tr').length, 2);
    assert.deepEqual(page.requests(), [VIEW, `${ROWS}?limit=50`]);
  });

  test('says what is wrong with the view, and tries again', async () => {
    const page = await show({ [VIEW]: refuse('no view weather', 'did you mean wind?') });
    assert.match(page.one('[role=alert]').textContent, /no view weather.*did you mean wind/);
    page.answers[VIEW] = detail();
    await page.click('Try again');
    assert.equal(page.one('h1').textContent, 'weather');
  });

  test('rows that cannot be read leave the rest as it is', async () => {
    const page = await show({ [ROWS]: refuse('the database is away', 'start it') });
    assert.match(part(page, 'Newest rows'), /the database is away start it Try again/);
    assert.match(part(page, 'About'), /Entities airport/);
    page.answers[ROWS] = PREVIEW;
    await page.click('Try again');
    assert.match(part(page, 'Newest rows'), /JFK/);
  });

  test('is fetched again when features change, and after a gap', async () => {
    const page = await show();
    page.requests();
    await page.ring(['run']);
    assert.deepEqual(page.requests(), []);
    await page.ring(['feature']);
    assert.equal(page.requests().length, 2);
    await page.ring(['run'], 2);
    assert.equal(page.requests().length, 2);
  });

  test('tells how fresh it is, and what it is', async () => {
    const page = await show({ [VIEW]: detail({}, { description: 'Hourly <sky>' }) });
    assert.equal(page.texts('header').join(), 'weather 2 h old Hourly <sky>');
    assert.equal(nameOf(page.one('header svg')), 'fresh');
  });
});

describe('the facts of a view', () => {
  test('are told as far as there are any', async () => {
    const page = await show({
      [VIEW]: detail(
        {
          keys: { airport: 'string', runway: 'int64' },
          time_zone: 'Europe/Berlin',
          database: 'warehouse',
          services: ['late', 'early']
        },
        { owner: 'ops', tags: { source: 'noaa' }, entities: ['airport', 'runway'] }
      )
    });
    assert.match(
      part(page, 'About'),
      /^About Entities airport, runway Keys airport \(string\), runway \(int64\) Good for 6h 00m Known up to .* Rows 12,345 Event time at, Europe\/Berlin Database warehouse Services late, early Owner ops source noaa$/
    );
  });

  const cases: [string, Parameters<typeof detail>[1], RegExp][] = [
    ['that are good for ever', { ttl_seconds: null }, /Good for ever/],
    ['of a time without a zone', {}, /Event time at, UTC/],
    ['that were never computed', { watermark_at: null, rows: 0 }, /(?<!Known.*)Rows 0 Event/]
  ];
  for (const [what, changes, expected] of cases) {
    test(what, async () =>
      assert.match(part(await show({ [VIEW]: detail({}, changes) }), 'About'), expected)
    );
  }

  test('of one that is computed when asked have no rows and no times', async () => {
    const page = await show({ [VIEW]: detail({}, { kind: 'on_demand', watermark_at: null }) });
    assert.doesNotMatch(part(page, 'About'), /Rows|Event time|Known up to/);
    assert.equal(part(page, 'Newest rows'), '');
    assert.deepEqual(page.requests(), [VIEW]);
  });

  const sources: [Parameters<typeof detail>[0], string][] = [
    [{ source_text: 'select 1 < 2', source_language: 'sql' }, 'Query select 1 < 2'],
    [{ source_text: 'def f(): …', source_language: 'python' }, 'Function def f(): …']
  ];
  for (const [changes, expected] of sources) {
    test(`hold the source: ${changes?.source_language}`, async () => {
      const page = await show({ [VIEW]: detail(changes) });
      assert.equal(part(page, expected.split(' ')[0]), expected);
    });
  }
});

describe('the values of a view', () => {
  const TEMP = profile('temp', { mean: 1 });
  const SKY = profile('sky', { dtype: 'string' });

  test('before the first batch are names and types', async () => {
    assert.equal(part(await show(), 'Features'), 'Features temp float64 sky string');
  });

  test('are told feature by feature, of how many rows', async () => {
    const page = await show({
      [VIEW]: detail({ profile: { rows: 1_234_567, features: [TEMP, SKY] } })
    });
    assert.match(part(page, 'Features'), /^Features The newest batch: 1,234,567 rows\. temp/);
    assert.doesNotMatch(part(page, 'Features'), /outline|drifted/);
    assert.deepEqual(
      page.all('figure').map(one => one.getAttribute('data-feature')),
      ['temp', 'sky']
    );
  });

  test('that drifted are counted, with a sign', async () => {
    const page = await show({
      [VIEW]: detail({
        profile: { rows: 10, features: [TEMP, SKY] },
        profile_before: { rows: 9, features: [TEMP] },
        drift: [drift('temp', 0.5), drift('sky', 0.01)]
      })
    });
    assert.match(
      part(page, 'Features'),
      /The outline is the batch before\. ▲ 1 of 2 features drifted\./
    );
    assert.equal(page.texts('.jp-mod-drift-much .jp-mlops-name').join(), 'temp');
  });
});

describe('what is expected of a view', () => {
  const cases: [string, Parameters<typeof expectation>[0], [string, string, string]][] = [
    ['holds', {}, ['✔', 'holds', 'met']],
    ['does not hold', { is_met: false }, ['✘', 'does not hold', 'error']],
    [
      'does not hold, and is only a warning',
      { is_met: false, severity: 'warning' },
      ['▲', 'does not hold', 'warning']
    ],
    ['was not tried', { is_met: null }, ['–', 'not tried yet', 'none']]
  ];
  for (const [what, changes, [sign, word, kind]] of cases) {
    test(what, async () => {
      const page = await show({ [VIEW]: detail({ expectations: [expectation(changes)] }) });
      const mark = page.one('li span[role=img]');
      assert.deepEqual([mark.textContent, nameOf(mark)], [sign, word]);
      assert.equal(page.one('.jp-mlops-Expectations li').getAttribute('class'), `jp-mod-${kind}`);
    });
  }

  test('is told with its feature and what was found', async () => {
    const expectations = [
      expectation({ is_met: false, message: '3 of 9 rows: <99>' }),
      expectation({ feature: '', text: 'has at least 10 rows' })
    ];
    const page = await show({ [VIEW]: detail({ expectations }) });
    assert.deepEqual(page.texts('.jp-mlops-Expectations li'), [
      '✘ temp is between -40 and 50 3 of 9 rows: <99>',
      '✔ has at least 10 rows'
    ]);
    assert.equal(part(await show(), 'Expectations'), '');
  });
});

describe('the history of a view', () => {
  test('has its versions, the current one named', async () => {
    const version = (name: string, isCurrent: boolean) => ({
      version: name.repeat(32),
      is_current: isCurrent,
      user_name: 'ada',
      run_id: null,
      created_at: '2026-01-02T11:59:30Z',
      registered_at: '2026-01-02T11:58:00Z'
    });
    const page = await show({
      [VIEW]: detail({ versions: [version('b', true), version('a', false)] })
    });
    assert.equal(
      part(page, 'Versions'),
      'Versions 2 bbbbbbbbbbbb current ada, 2 min ago aaaaaaaaaaaa ada, 2 min ago'
    );
    assert.equal(page.all('li code')[0].getAttribute('title'), 'b'.repeat(32));
  });

  test('has its batches, each with how it ended', async () => {
    const materializations = [
      batch('running', { rows: 0 }),
      batch('succeeded', { rows: 1_000_000 }),
      batch('failed', { message: 'no such <table>' }),
      batch('logged')
    ];
    const page = await show({ [VIEW]: detail({ materializations }) });
    assert.deepEqual(
      page.texts('.jp-mlops-History li').map(text => text.split(' up to ')[0]),
      [
        '● running 0 rows',
        '✔ succeeded 1,000,000 rows',
        '✘ failed 1,000 rows',
        '● logged 1,000 rows'
      ]
    );
    assert.equal(page.one('.jp-mlops-failed').textContent, '✘ failed');
    assert.ok(page.one('li[title=no such <table>]'));
    assert.equal(part(await show(), 'Batches'), '');
  });
});

describe('the newest rows', () => {
  test('have numbers to the right, times without noise, nothing for null', async () => {
    const page = await show();
    assert.deepEqual(page.texts('.jp-mlops-Preview tbody tr'), [
      'JFK 2026-01-02 09:00:00 1.5',
      '<i> 2026-01-02 08:30:00.250 –'
    ]);
    assert.deepEqual(
      page.all('.jp-mlops-Preview th').map(one => one.getAttribute('class')),
      ['', '', 'jp-mlops-number']
    );
  });

  const cells: [string, unknown, string][] = [
    ['int64', 0, '0'],
    ['float32', 1e21, '1e+21'],
    ['float64', 0.123456789, '0.123457'],
    ['bool', false, 'false'],
    ['string', '', ''],
    ['string', '2026-01-02T09:00:00Z', '2026-01-02T09:00:00Z'],
    ['timestamp', '2026-01-02T09:00:00.000000+00:00', '2026-01-02 09:00:00'],
    ['timestamp', '2026-01-02T09:00:00+02:00', '2026-01-02 09:00:00+02:00'],
    ['list', [1, null], '[1,null]']
  ];
  for (const [dtype, cell, expected] of cells) {
    test(`${dtype}: ${JSON.stringify(cell)}`, async () => {
      const preview = { columns: [{ name: 'x', dtype }], rows: [[cell]], total: 1 };
      assert.equal(
        (await show({ [ROWS]: preview })).one('.jp-mlops-Preview td').textContent,
        expected
      );
    });
  }

  test('are said to be none where there are none', async () => {
    const page = await show({ [ROWS]: { ...PREVIEW, rows: [], total: 0 } });
    assert.equal(part(page, 'Newest rows'), 'Newest rows No rows yet.');
  });
});
