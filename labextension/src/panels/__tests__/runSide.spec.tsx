import { useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../../__tests__/samples';
import type { Run } from '../../types';
import { RunSide } from '../runSide';
import { ended } from './builders';

const bench = useBench();
const show = (told: Run): Promise<unknown> =>
  bench().show(<RunSide context={bench().context} run={told} />);
const folds = (): string[] => bench().texts('summary');
const facts = (within: string): [string, string][] => {
  const fold = bench()
    .all('details')
    .find(one => one.textContent.startsWith(within))!;
  const values = fold.querySelectorAll('dd');
  return fold.querySelectorAll('dt').map((name, i) => [name.textContent, values[i].textContent]);
};

describe('beside a run', () => {
  test('stands what it was given, each kind of value as people read it', async () => {
    await show(
      run([], {
        arguments: {
          week: 20,
          rate: 0.1234567891,
          mode: '<b>fast</b>',
          models: ['a', 'b'],
          none: null,
          yes: true,
          input: `blob://sha256/${'0a1b2c3d'.repeat(8)}/flights.parquet`
        }
      })
    );
    assert.deepEqual(facts('Arguments'), [
      ['week', '20'],
      ['rate', '0.123457'],
      ['mode', '<b>fast</b>'],
      ['models', '["a","b"]'],
      ['none', 'null'],
      ['yes', 'true'],
      ['input', 'flights.parquet · 0a1b2c3d']
    ]);
  });

  test('stands how much of the CPUs and GPUs its tasks used, if it was measured', async () => {
    await show(run([], { cpu_seconds: 12, cpu_utilization: 0.41, gpu_utilization: 0.9 }));
    assert.match(bench().text, /CPU time12s, 41 % of what its tasks could use/);
    assert.match(bench().text, /GPUs busy90 %/);
    await show(run([]));
    assert.doesNotMatch(bench().text, /CPU time|GPUs busy/);
  });

  test('stands that nothing was given', async () => {
    await show(run([]));
    assert.match(bench().text, /ArgumentsNone were given\./);
    assert.deepEqual(folds(), ['Arguments', 'Cost']);
  });

  test('stand the options that were chosen, and no others', async () => {
    await show(
      run([], {
        options: {
          force: 'all',
          only: [],
          start_from: ['fit'],
          priority: 0,
          is_preemptible: false
        } as never
      })
    );
    assert.deepEqual(facts('Options'), [
      ['force', 'all'],
      ['start_from', '["fit"]']
    ]);
  });

  test('stand the results of its tasks', async () => {
    await show(run([ended('fit', { results: { auc: 0.8, n: 0 } }), ended('pull')]));
    assert.deepEqual(bench().texts('h3'), ['fit']);
    assert.deepEqual(facts('Results'), [
      ['auc', '0.8'],
      ['n', '0']
    ]);
  });

  for (const [count, more] of [
    [12, null],
    [13, '… and of 1 more tasks: see Tasks.'],
    [500, '… and of 488 more tasks: see Tasks.']
  ] as const) {
    test(`stand the first of the results of ${count} tasks`, async () => {
      await show(run(Array.from({ length: count }, (_, i) => ended(`t${i}`, { results: { i } }))));
      assert.equal(bench().all('h3').length, 12);
      const last = bench().texts('.jp-mlops-muted').pop();
      assert.equal(more === null ? null : last, more);
    });
  }

  test('leads to the run that it repeats', async () => {
    await show(run([], { rerun_of: 'r0' }));
    await bench().click('r0');
    assert.deepEqual(bench().opened, [['run', { runId: 'r0', title: 'flights' }]]);
  });
});
