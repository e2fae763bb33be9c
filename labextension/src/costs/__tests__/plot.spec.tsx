import { type Element, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trans } from '../../language';
import type { Estimate } from '../../types';
import { apart, BreakEvenPlot } from '../plot';
import { breakEven, estimate } from './builders';

const bench = useBench();
const show = (changes: Partial<Estimate> = {}): Promise<unknown> =>
  bench().show(<BreakEvenPlot cost={estimate(changes)} trans={trans} />);
const number = (element: Element, name: string): number => Number(element.getAttribute(name));
const lines = (kind: string): Element[] => bench().all(`.jp-mlops-Plot-line.${kind}`);
const texts = (): string[] => bench().texts('text');

describe('the picture of the break-even', () => {
  test('is not there where there is nothing to compare', async () => {
    for (const changes of [{ server: null }, { break_evens: [] }]) {
      await show(changes);
      assert.equal(bench().all('svg').length, 0);
    }
  });

  test('has a level line for owning and a rising one for each place', async () => {
    await show({ break_evens: [breakEven('aws'), breakEven('gcp', { cloud_full: 400 })] });
    const [own] = lines('jp-mod-own');
    assert.equal(number(own, 'y1'), number(own, 'y2'));
    for (const kind of ['jp-mod-cloud0', 'jp-mod-cloud1']) {
      const [rent] = lines(kind);
      assert.ok(number(rent, 'y2') < number(rent, 'y1'), kind); // up is less
      assert.ok(number(rent, 'y2') < number(own, 'y1'), kind);
    }
  });

  test('marks where the lines cross', async () => {
    await show({ break_evens: [breakEven('aws', { utilization: 0.5, cloud_full: 600 })] });
    const cross = bench().one('circle');
    const [rent] = lines('jp-mod-cloud0');
    assert.equal(number(cross, 'cy'), number(lines('jp-mod-own')[0], 'y1'));
    assert.equal(number(cross, 'cx'), (number(rent, 'x1') + number(rent, 'x2')) / 2);
    assert.equal(number(cross, 'cy'), (number(rent, 'y1') + number(rent, 'y2')) / 2);
    assert.equal(cross.textContent, 'aws: own from 50 %');
  });

  test('has no mark where they never do', async () => {
    await show({ break_evens: [breakEven('aws spot', { utilization: null, cloud_full: 90 })] });
    assert.equal(bench().all('circle').length, 0);
    assert.ok(texts().includes('aws spot'));
    assert.match(bench().one('svg').getAttribute('aria-label')!, /aws spot is always cheaper$/);
  });

  test('gives a cloud and its spot market one color, and four colors to all', async () => {
    const places = ['aws', 'aws spot', 'gcp', 'azure', 'oci', 'other'];
    await show({ break_evens: places.map(place => breakEven(place)) });
    assert.deepEqual(
      [0, 1, 2, 3].map(color => lines(`jp-mod-cloud${color}`).length),
      [3, 1, 1, 1]
    );
    assert.equal(lines('jp-mod-spot').length, 1);
  });

  const loads: [load: number, said: string | null][] = [
    [0, null],
    [0.004, 'this pipeline, 0.4 %'],
    [1, 'this pipeline, 100 %'],
    [1.01, null] // it needs more than one server: it has no place in the picture
  ];
  for (const [load, said] of loads) {
    test(`shows how busy ${load} is`, async () => {
      await show({ load });
      const told = texts().filter(text => text.startsWith('this pipeline'));
      assert.deepEqual(told, said === null ? [] : [said]);
    });
  }

  test('has an axis in money and one in shares of the month', async () => {
    await show();
    const shares = ['0 %', '25 %', '50 %', '75 %', '100 %', 'of the month in use'];
    assert.deepEqual(
      shares.filter(text => !texts().includes(text)),
      []
    );
    const marks = bench().texts('.jp-mlops-Plot-tick text');
    assert.equal(marks[0], '$0');
    assert.ok(marks.length >= 3 && marks.length <= 7);
  });

  test('draws names as text, whatever they hold', async () => {
    await show({ server: { name: '<script>', monthly: 300 }, break_evens: [breakEven('<b>')] });
    assert.ok(texts().includes('<script> $300') && texts().includes('<b>: own from 33 %'));
  });

  test('stays in its box for amounts of any size', async () => {
    for (const full of [0, 0.01, 1e9]) {
      await show({
        server: { name: 's', monthly: full / 2 },
        break_evens: [breakEven('a', { cloud_full: full })]
      });
      for (const line of bench().all('line')) {
        for (const name of ['x1', 'x2', 'y1', 'y2']) {
          const value = number(line, name);
          assert.ok(value >= 0 && value <= 640, `${full}: ${name} ${value}`);
        }
      }
    }
  });
});

describe('names beside lines', () => {
  const LABEL = 15;
  const [TOP, FLOOR] = [16, 276];
  const cases: [what: string, at: number[]][] = [
    ['one', [100]],
    ['two far from each other', [100, 200]],
    ['two at the same place', [100, 100]],
    ['many at the floor', [276, 276, 276, 275]],
    ['in another order', [200, 20, 100, 101]],
    ['as many as there is room for', Array(17).fill(150)]
  ];
  for (const [what, at] of cases) {
    test(`${what} do not lie on each other, nor below the floor`, () => {
      const names = apart(at.map((y, i) => ({ text: String(i), y, kind: 'own' })));
      const places = names.map(({ y }) => y);
      places.forEach((y, i) => {
        assert.ok(i === 0 || y - places[i - 1] >= LABEL - 1e-9, places.join(' '));
        assert.ok(y <= FLOOR && y >= TOP, places.join(' '));
      });
      assert.deepEqual(names.map(({ text }) => text).sort(), at.map((_, i) => String(i)).sort());
    });
  }

  test('stay where they are where there is room', () => {
    const places = apart([
      { text: 'b', y: 200, kind: 'x' },
      { text: 'a', y: 20, kind: 'x' }
    ]);
    assert.deepEqual(
      places.map(({ text, y }) => [text, y]),
      [
        ['a', 20],
        ['b', 200]
      ]
    );
  });

  test('of nothing are nothing', () => assert.deepEqual(apart([]), []));
});
