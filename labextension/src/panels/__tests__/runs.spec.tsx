import { at, later, Refusal, SILENCE, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { summary } from '../../__tests__/samples';
import type { RunSummary, State } from '../../types';
import { createRuns } from '../runs';
import { pageOf } from './builders';

const bench = useBench();

async function show(...runs: RunSummary[]): Promise<ReturnType<typeof bench>> {
  bench().server.says('GET runs', pageOf(runs));
  return await bench().show(createRuns(bench().context));
}

const over = (state: State, changes: Partial<RunSummary> = {}): RunSummary =>
  summary({ state, duration_seconds: 65, is_driven: false, created_at: at(-180), ...changes });

describe('the list of runs', () => {
  test('says that it loads, and then what there is', async () => {
    const { answer, come } = later();
    bench().server.says('GET runs', () => answer);
    await bench().show(createRuns(bench().context));
    assert.equal(bench().one('[role=status]').textContent, 'Loading runs');
    await bench().do(() => come(pageOf([summary()])));
    assert.equal(bench().all('[role=status]').length, 0);
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['flights']);
  });

  test('tells how each of them stands', async () => {
    const cases: [RunSummary, sign: string, when: string][] = [
      [summary({ run_id: '1', started_at: at(-12) }), 'running', '12s'],
      [
        summary({ run_id: '2', state: 'queued', started_at: null, created_at: at(-2) }),
        'queued',
        ''
      ],
      [summary({ run_id: '3', is_driven: false }), 'running', 'interrupted'],
      [over('succeeded', { run_id: '4' }), 'succeeded', '1m 05s'],
      [over('failed', { run_id: '5', duration_seconds: 0 }), 'failed', '0.0s'],
      [over('cancelled', { run_id: '6', duration_seconds: null }), 'cancelled', ''],
      [summary({ run_id: '7', started_at: at(3600) }), 'running', '0.0s'] // the server's clock is ahead
    ];
    await show(...cases.map(([run]) => run));
    for (const [{ run_id: id }, sign, when] of cases) {
      const row = bench().one(`[data-run="${id}"]`);
      const second = row.querySelector('.jp-mlops-Row-second')!;
      assert.equal(row.querySelector('svg')!.getAttribute('aria-label'), sign, id);
      assert.equal(second.querySelector('.jp-mlops-Row-when')!.textContent, when, id);
    }
  });

  test('a queued run says why it waits; one that runs keeps its message for the tooltip', async () => {
    const message = 'waits for 1 gpu';
    await show(
      summary({ run_id: 'q', state: 'queued', message }),
      summary({ run_id: 'r', state: 'running', message })
    );
    assert.deepEqual(bench().texts('.jp-mlops-Row-waits'), [message]);
    const title = bench().one('[data-run=r] button').getAttribute('title')!;
    assert.match(title, /waits for 1 gpu$/);
  });

  test('names are text, whatever they hold', async () => {
    const names = ['<b>bold</b>', '航班 ✈', 'x'.repeat(300), '&amp;'];
    await show(...names.map(pipeline => summary({ run_id: pipeline, pipeline })));
    assert.deepEqual(bench().texts('.jp-mlops-name'), names);
    assert.equal(bench().all('b').length, 0);
  });

  test('a click opens the run', async () => {
    await show(summary({ run_id: 'r1', pipeline: 'flights' }));
    await bench().click(bench().one('[data-run=r1] button'));
    assert.deepEqual(bench().opened, [['run', { runId: 'r1', title: 'flights' }]]);
  });

  test('what runs grows older by the second; what is over does not', async () => {
    await show(summary({ started_at: at(-10) }), over('succeeded', { run_id: 'o' }));
    const shown = (): string[] => bench().texts('.jp-mlops-Row-second');
    assert.deepEqual(shown(), ['10s', '1m 05s']);
    await bench().wait(1000);
    assert.deepEqual(shown(), ['11s', '1m 05s']);
  });
});

describe('an empty list', () => {
  test('says what will be there', async () => {
    await show();
    assert.match(bench().text, /Nothing has run yet.*whoever starts them/s);
    assert.equal(bench().all('nav').length, 0);
  });

  for (const [field, text] of [
    ['Search runs', 'nosuch'],
    ['State', 'failed']
  ]) {
    test(`says that nothing fits, for ${field}`, async () => {
      await show();
      await bench().type(field, text);
      assert.match(bench().text, /No such runs/);
      assert.doesNotMatch(bench().text, /whoever starts them/);
    });
  }
});

describe('a search', () => {
  test('is sent when the typing rests, not for every key', async () => {
    await show(summary());
    for (const text of ['f', 'fl', 'fli']) {
      await bench().type('Search runs', text);
      await bench().wait(100);
    }
    assert.equal(bench().server.count('GET runs'), 1);
    await bench().wait(250);
    assert.deepEqual(bench().server.queries('GET runs'), [
      { offset: '0', limit: '50' },
      { search: 'fli', offset: '0', limit: '50' }
    ]);
  });

  test('keeps what is shown until the new answer is there', async () => {
    await show(summary({ pipeline: 'old' }));
    const { answer, come } = later();
    bench().server.says('GET runs', () => answer);
    await bench().type('Search runs', 'new');
    await bench().wait(300);
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['old']);
    await bench().do(() => come(pageOf([summary({ pipeline: 'new' })])));
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['new']);
  });

  test('is emptied by Escape', async () => {
    await show(summary());
    await bench().type('Search runs', 'ÄÖ & ?=#');
    await bench().wait(300);
    assert.equal(bench().server.queries('GET runs')[1].search, 'ÄÖ & ?=#');
    await bench().press(bench().field('Search runs'), 'Escape');
    await bench().wait(300);
    assert.equal(bench().server.queries('GET runs')[2].search, undefined);
  });

  test('by state is sent at once, and begins at the first page', async () => {
    bench().server.says('GET runs', (query: URLSearchParams) =>
      pageOf([summary()], { total: 120, offset: Number(query.get('offset')) })
    );
    await bench().show(createRuns(bench().context));
    await bench().click('Older');
    await bench().type('State', 'queued,running');
    assert.deepEqual(
      bench()
        .server.queries('GET runs')
        .map(({ state = '', offset }) => [state, offset]),
      [
        ['', '0'],
        ['', '50'],
        ['queued,running', '0']
      ]
    );
    const options = bench().texts('option');
    assert.deepEqual(options, ['All', 'Live', 'Failed', 'Succeeded', 'Cancelled']);
  });
});

describe('pages', () => {
  test('are as long as the settings say, and change with them', async () => {
    bench().preferences.read({ pageSize: 20 });
    await show(summary());
    await bench().do(() => bench().preferences.read({ pageSize: 100 }));
    assert.deepEqual(
      bench()
        .server.queries('GET runs')
        .map(({ limit }) => limit),
      ['20', '100']
    );
  });

  test('turn to the older and back, and no further', async () => {
    bench().server.says('GET runs', (query: URLSearchParams) => {
      const offset = Number(query.get('offset'));
      const items = Array.from({ length: Math.min(50, 70 - offset) }, (_, i) =>
        summary({ run_id: `r${offset + i}` })
      );
      return pageOf(items, { total: 70, offset });
    });
    await bench().show(createRuns(bench().context));
    const nav = (): string => bench().one('nav').querySelectorAll('span')[0].textContent;
    assert.equal(nav(), '1–50 / 70');
    assert.ok(bench().button('Newer').disabled);
    await bench().click('Older');
    assert.equal(nav(), '51–70 / 70');
    assert.ok(bench().button('Older').disabled);
    assert.ok(bench().one('[data-run=r69]'));
    await bench().click('Newer');
    assert.equal(nav(), '1–50 / 70');
  });
});

describe('what goes wrong', () => {
  test('is told with its cure, and tried again', async () => {
    bench().server.says(
      'GET runs',
      new Refusal(500, 'the catalog is locked', 'close the other one')
    );
    await bench().show(createRuns(bench().context));
    assert.match(bench().one('[role=alert]').textContent, /the catalog is locked.*close the other/);
    bench().server.says('GET runs', pageOf([summary()]));
    await bench().click('Try again');
    assert.equal(bench().all('[role=alert]').length, 0);
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['flights']);
  });

  test('leaves what is shown while the server is away, and fetches it anew when it is back', async () => {
    await show(summary({ pipeline: 'before' }));
    bench().server.says('GET runs', SILENCE).says('GET status', SILENCE);
    await bench().ring(['run']);
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['before']);
    assert.equal(bench().all('[role=alert]').length, 0);
    assert.equal(bench().model.connection, 'lost');
    bench()
      .server.says('GET runs', pageOf([summary({ pipeline: 'after' })]))
      .says('GET status', bench().status);
    await bench().look();
    assert.deepEqual(bench().texts('.jp-mlops-name'), ['after']);
  });
});

describe('a ring', () => {
  const rings: [what: string, kinds: string[], skipped: number, isAsked: boolean][] = [
    ['of a run asks again', ['run'], 0, true],
    ['of models does not', ['model'], 0, false],
    ['of several kinds does', ['model', 'run'], 0, true],
    ['after a gap does, whatever it is of', ['model'], 3, true]
  ];
  for (const [what, kinds, skipped, isAsked] of rings) {
    test(what, async () => {
      await show(summary());
      await bench().ring(kinds, [], skipped);
      assert.equal(bench().server.count('GET runs'), isAsked ? 2 : 1);
    });
  }

  test('many at once are one more request', async () => {
    await show(summary());
    const { answer, come } = later();
    bench().server.says('GET runs', () => answer);
    for (let i = 0; i < 5; i++) {
      await bench().ring(['run']);
    }
    assert.equal(bench().server.count('GET runs'), 2);
    await bench().do(() => come(pageOf([])));
    assert.equal(bench().server.count('GET runs'), 3);
  });
});
