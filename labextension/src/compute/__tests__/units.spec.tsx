import { at, type Element, Refusal, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ComputeUnit } from '../../types';
import { beside, Units } from '../units';
import { unit } from './builders';

const bench = useBench();

async function show(...items: ComputeUnit[]): Promise<void> {
  bench().server.says('GET units', { items });
  await bench().show(<Units context={bench().context} />);
}

const facts = (): string => bench().one('section').querySelector('p')!.textContent;
const rates = (): [string, string][] => {
  const values = bench().texts('dd');
  return bench()
    .texts('dt')
    .map((name, i) => [name, values[i]]);
};

describe('units', () => {
  for (const answer of [{ items: [] }, new Refusal(404, 'no such route')]) {
    test(`are not there where ${'items' in answer ? 'none are' : 'the server knows nothing of them'}`, async () => {
      bench().server.says('GET units', answer);
      await bench().show(<Units context={bench().context} />);
      assert.equal(bench().text, '');
    });
  }

  for (const [count, isOpen] of [
    [1, true],
    [3, true],
    [4, false]
  ] as const) {
    test(`${isOpen ? 'are shown' : 'fold'} where there are ${count}`, async () => {
      await show(...Array.from({ length: count }, (_, i) => unit({ unit: `u${i}` })));
      assert.equal(bench().one('summary').textContent, `Units${count}`);
      assert.equal(bench().one('details').hasAttribute('open'), isOpen);
      assert.equal(bench().all('[data-unit]').length, count);
    });
  }

  test('are fetched anew when something was measured', async () => {
    await show(unit());
    await bench().ring(['run']);
    assert.equal(bench().server.count('GET units'), 1);
    await bench().ring(['compute']);
    assert.equal(bench().server.count('GET units'), 2);
  });

  test('say how to measure them, until one was', async () => {
    await show(unit({ unit: 'a' }), unit({ unit: 'b' }));
    assert.match(bench().text, /Nothing was measured yet: jupyter mlops compute bench/);
    bench().server.says('GET units', {
      items: [unit({ unit: 'a' }), unit({ unit: 'b', measured_at: at(0) })]
    });
    await bench().ring(['compute']);
    assert.doesNotMatch(bench().text, /Nothing was measured/);
  });
});

describe('a unit', () => {
  const shown: [what: string, Partial<ComputeUnit>, said: string][] = [
    ['a processor has cores', {}, '2 cores · 8.0 GiB'],
    ['a share of one has parts of them', { cores: 0.25 }, '0.3 cores · 8.0 GiB'],
    ['a card has none', { kind: 'GPU', cores: 0 }, '8.0 GiB'],
    ['a pod without a limit has memory that nobody knows', { kind: 'TPU', memory_bytes: null }, ''],
    ['a price', { price_an_hour: 0.0832 }, '2 cores · 8.0 GiB · $0.083 an hour'],
    ['a price of nothing', { price_an_hour: 0 }, '2 cores · 8.0 GiB · $0 an hour']
  ];
  for (const [what, changes, said] of shown) {
    test(what, async () => {
      await show(unit(changes));
      assert.equal(facts(), said);
    });
  }

  test('tells its kind and name as text, and of which machine the price is', async () => {
    await show(unit({ kind: 'GPU', name: 'H100 <SXM>', price_an_hour: 2, price_of: 'p5.4xlarge' }));
    assert.equal(bench().one('header').textContent, 'GPUH100 <SXM>');
    assert.equal(bench().one('.jp-mlops-name').getAttribute('title'), 'cpu-here, process');
    assert.equal(bench().one('section p').getAttribute('title'), 'as on p5.4xlarge');
  });

  test('has no price where the settings hide costs', async () => {
    await show(unit({ price_an_hour: 2 }));
    assert.match(facts(), /an hour/);
    await bench().do(() => bench().preferences.read({ showCosts: false }));
    assert.equal(facts(), '2 cores · 8.0 GiB');
  });

  test('has the rates of the formats that matter, the widest first, measured beside the peak', async () => {
    await show(
      unit({
        peak_flops: { float8: 2e15, int8: 4e15, float32: 2.9e11, float64: 1.47e11 },
        measured_flops: { float64: 1.18e11, float8: 2.2e15 },
        measured_at: at(-86_400)
      })
    );
    assert.deepEqual(rates(), [
      ['float64', '118 / 147 GFLOPS (80 %)'],
      ['float32', 'at most 290 GFLOPS'],
      ['float8', '2.2 / 2 PFLOPS (110 %)']
    ]);
    const bars: Element[] = bench().all('.jp-mlops-Meter-measured');
    assert.deepEqual(
      bars.map(({ style }) => Math.round(parseFloat(String(style.width)))),
      [80, 100] // a boost beyond the peak does not leave the bar
    );
    assert.match(bench().all('dd')[0].getAttribute('title')!, /^Measured /);
  });

  test('of which no rate is known has no list of them', async () => {
    await show(unit({ peak_flops: { int8: 1e12 } }));
    assert.equal(bench().all('dl').length, 0);
  });
});

describe('two rates beside each other', () => {
  for (const [measured, peak, said] of [
    ['118 GFLOPS', '147 GFLOPS', '118 / 147 GFLOPS'],
    ['980 GFLOPS', '1.2 TFLOPS', '980 GFLOPS / 1.2 TFLOPS'],
    ['0 FLOPS', '1 GFLOPS', '0 FLOPS / 1 GFLOPS'],
    ['5 FLOPS', '9 FLOPS', '5 / 9 FLOPS']
  ]) {
    test(said, () => assert.equal(beside(measured, peak), said));
  }
});
