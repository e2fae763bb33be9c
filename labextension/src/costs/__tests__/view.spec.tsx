import { fire } from '../../panels/__tests__/browser';
import { type Element, later, Refusal, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trans } from '../../language';
import type { Estimate, Quote } from '../../types';
import { CostFold, CostTable, machines } from '../view';
import { estimate, quote, taskCost } from './builders';

const bench = useBench();
const show = (cost: Estimate): Promise<unknown> =>
  bench().show(<CostTable cost={cost} trans={trans} />);
const rows = (): string[][] =>
  bench()
    .all('tbody tr')
    .map(row => row.querySelectorAll('td').map(cell => cell.textContent));

describe('the table of costs', () => {
  test('has the cheapest first, with a month and a run where it runs by schedule', async () => {
    await show(estimate());
    assert.deepEqual(bench().texts('th'), ['where', 'a run', 'a month', 'on']);
    assert.deepEqual(rows(), [
      ['here', '$1.00', '$30.00', 'power alone'],
      ['aws', '$2.00', '$60.00', 'aws.large']
    ]);
  });

  test('has one amount where nothing is known of a month', async () => {
    await show(estimate({ runs_a_month: null, quotes: [quote('aws', 2, { monthly: null })] }));
    assert.deepEqual(bench().texts('th'), ['where', 'cost', 'on']);
    assert.deepEqual(rows(), [['aws', '$2.00', 'aws.large']]);
  });

  test('has a month of no runs, which is not the same as an unknown one', async () => {
    await show(estimate({ runs_a_month: 0, quotes: [quote('aws', 2, { monthly: 0 })] }));
    assert.deepEqual(rows(), [['aws', '$2.00', '$0', 'aws.large']]);
  });

  test('has what has no room for all of it last, without an amount', async () => {
    const unfit = ['fit', '<b>train</b>', 'deploy', 'more'];
    await show(estimate({ quotes: [quote('tiny', 0, { unfit }), quote('big', 9)] }));
    assert.deepEqual(rows(), [
      ['big', '$9.00', '$270', 'big.large'],
      ['tiny', '–', '–', 'no room for fit, <b>train</b>, deploy']
    ]);
  });

  const amounts: [total: number, approximate: string][] = [
    [1.5, '~$1.50'],
    [0, '$0'], // nothing is nothing
    [0.00001, '<$0.0001'] // says itself that it is not exact
  ];
  for (const [total, approximate] of amounts) {
    test(`says that ${total} is approximate by ${approximate}`, async () => {
      await show(estimate({ quotes: [quote('aws', total, { is_approximate: true })] }));
      assert.equal(rows()[0][1], approximate);
    });
  }

  test('says of when its prices are, where they are of a list', async () => {
    await show(estimate());
    const titles = bench()
      .all('tbody tr')
      .map(row => row.getAttribute('title'));
    assert.deepEqual(titles, [null, 'Prices as of 2026-11-01']);
  });

  test('warns, and says what it is about', async () => {
    await show(estimate({ warnings: ['no memory was measured of <fit>', 'prices are old'] }));
    assert.deepEqual(bench().texts('.jp-mlops-note'), [
      'no memory was measured of <fit>',
      'prices are old'
    ]);
    assert.match(bench().text, /Compute alone, by measured use and dated list prices\.$/);
  });

  for (const quotes of [[], [quote('aws', 0, { tasks: [] })]]) {
    test(`says that nothing was executed, with ${quotes.length} places`, async () => {
      await show(estimate({ quotes }));
      assert.equal(bench().text, 'Nothing was executed: it cost nothing.');
    });
  }
});

describe('the machines of a place', () => {
  const names = (...all: (string | null)[]): Partial<Quote> => ({
    tasks: all.map(one => taskCost(one))
  });
  const cases: [what: string, Quote, string][] = [
    ['one', quote('aws', 1, names('m5')), 'm5'],
    ['two', quote('aws', 1, names('m5', 'p4')), 'm5, p4'],
    ['each once', quote('aws', 1, names('m5', 'm5', 'p4', 'm5')), 'm5, p4'],
    ['many', quote('aws', 1, names('m5', 'p4', 'c6', 'r7')), 'm5, p4 and 2 more'],
    ['none that is known', quote('aws', 1, names(null, null)), ''],
    ['this one, as it says', quote('here', 1, { notes: ['power', 'owned'] }), 'power; owned'],
    [
      'with what is said of them',
      quote('aws', 1, { ...names('m5'), notes: ['on spot: a'] }),
      'm5; on spot: a'
    ],
    ['this one, silent', quote('here', 1), ''],
    ['too small ones, before all else', quote('here', 1, { unfit: ['fit'] }), 'no room for fit']
  ];
  for (const [what, told, said] of cases) {
    test(`are ${what}`, () => assert.equal(machines(told, trans), said));
  }
});

describe('the part of a tab that tells costs', () => {
  const COST = 'GET runs/r1/cost';
  const fold = (): Element => bench().one('details');
  const toggle = (): Promise<void> => bench().click(bench().one('summary'));

  async function folded(answer: unknown = estimate()): Promise<void> {
    const { context, server } = bench();
    server.says(COST, answer);
    await bench().show(
      <CostFold context={context} about={['cost', 'r1']} fetch={() => context.api.runCost('r1')} />
    );
  }

  test('asks nothing before it is opened', async () => {
    await folded();
    assert.equal(fold().hasAttribute('open'), false);
    assert.equal(bench().server.count(COST), 0);
    await toggle();
    assert.equal(bench().server.count(COST), 1);
    assert.equal(rows().length, 2);
  });

  test('asks no more when it is closed again', async () => {
    await folded();
    await toggle();
    await toggle();
    await bench().ring(['run']);
    assert.equal(bench().server.count(COST), 1);
    assert.equal(bench().text, 'Cost');
  });

  test('follows the run while it is open', async () => {
    await folded();
    await toggle();
    await bench().ring(['model']);
    assert.equal(bench().server.count(COST), 1);
    await bench().ring(['run']);
    assert.equal(bench().server.count(COST), 2);
  });

  test('says that it loads, and what went wrong', async () => {
    const { answer, come } = later();
    await folded(() => answer);
    await toggle();
    assert.equal(bench().one('[role=status]').textContent, 'Loading costs');
    await bench().do(() => come(new Refusal(409, 'no prices for eu', 'jupyter mlops prices')));
    assert.match(bench().one('[role=alert]').textContent, /no prices for eu.*jupyter mlops prices/);
  });

  test('is not there where the settings hide costs', async () => {
    await folded();
    await bench().do(() => bench().preferences.read({ showCosts: false }));
    assert.equal(bench().text, '');
    await bench().do(() => bench().preferences.read({ showCosts: 'no' })); // makes no sense: as at first
    assert.equal(fold().hasAttribute('open'), false);
  });

  test('opens by what a browser does of itself, too', async () => {
    await folded();
    await bench().do(() => {
      fold().setAttribute('open', '');
      fire(fold(), 'toggle', {}, false);
    });
    assert.equal(bench().server.count(COST), 1);
  });
});
