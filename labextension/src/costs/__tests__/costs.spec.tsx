import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';
import { beside } from '../../compute/units';
import { trans } from '../../__tests__/samples';
import type { Estimate } from '../../types';
import { apart, BreakEvenPlot } from '../plot';
import { CostTable, machines } from '../view';
import { quote } from './builders';
import { flops, formats, money, percent } from '../words';

const cost: Estimate = {
  subject: 'pipeline churn',
  hours: 1,
  currency: 'USD',
  runs_a_month: 30,
  basis: 'its schedules',
  quotes: [
    quote('gcp', 2),
    quote('aws', 1, { is_approximate: true }),
    quote('azure', 0, { unfit: ['fit'] })
  ],
  server: { name: 'r6615', monthly: 300 },
  utilization: 0.5,
  load: 0.2,
  break_evens: [
    { place: 'aws', own_monthly: 300, cloud_full: 900, utilization: 0.33, months: 9 },
    { place: 'aws spot', own_monthly: 300, cloud_full: 200, utilization: null, months: null }
  ],
  suggestions: [],
  warnings: []
};

test('amounts have about three digits', () => {
  const shown = [null, 0, 0.00001, 0.0034, 0.0124, 0.5, 12.3, 1234.5, -3].map(money);
  const wanted = [
    '–',
    '$0',
    '<$0.0001',
    '$0.0034',
    '$0.012',
    '$0.50',
    '$12.30',
    '$1,235',
    '-$3.00'
  ];
  assert.deepEqual(shown, wanted);
});

test('rates and parts are short', () => {
  assert.deepEqual([1.34e11, 1.979e15, 0].map(flops), ['134 GFLOPS', '1.98 PFLOPS', '0 FLOPS']);
  assert.deepEqual([0.004, 0.371, 2.5, 0].map(percent), ['0.4 %', '37 %', '250 %', '0 %']);
  assert.deepEqual(formats({ float8: 1, float32: 1, float64: 1 }), [
    'float64',
    'float32',
    'float8'
  ]);
});

test('the cheapest place comes first, and what has no room last', () => {
  const html = renderToStaticMarkup(<CostTable cost={cost} trans={trans} />);
  const places = [...html.matchAll(/data-place="([a-z ]+)"/g)].map(([, place]) => place);
  assert.deepEqual(places, ['aws', 'gcp', 'azure']);
  assert.match(html, /~\$1\.00.*~\$30\.00/);
  assert.match(html, /no room for fit/);
  assert.equal(machines(quote('here', 1, { notes: ['power alone'] }), trans), 'power alone');
});

test('the plot says where owning begins to be cheaper', () => {
  const html = renderToStaticMarkup(<BreakEvenPlot cost={cost} trans={trans} />);
  assert.match(html, /aws: own from 33 %/);
  assert.match(html, /aws spot is always cheaper/);
  assert.match(html, /this pipeline, 20 %/);
  assert.equal(
    renderToStaticMarkup(<BreakEvenPlot cost={{ ...cost, server: null }} trans={trans} />),
    ''
  );
});

test('names of lines do not lie on each other', () => {
  const names = apart([100, 100, 102, 280].map((y, i) => ({ text: String(i), y, kind: 'own' })));
  const places = names.map(({ y }) => y);
  assert.ok(places.every((y, i) => i === 0 || y - places[i - 1] >= 15));
});

test('a measured rate stands beside the peak, with the unit once', () => {
  assert.equal(beside('118 GFLOPS', '147 GFLOPS'), '118 / 147 GFLOPS');
  assert.equal(beside('980 GFLOPS', '1.2 TFLOPS'), '980 GFLOPS / 1.2 TFLOPS');
});
