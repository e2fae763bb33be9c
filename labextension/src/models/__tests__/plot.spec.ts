import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bars, labels, line, scale, short, ticks } from '../plot';

describe('ticks', () => {
  it('are round and span all values', () => {
    assert.deepEqual(ticks([0.711, 0.7803]), [0.7, 0.75, 0.8]);
    assert.deepEqual(ticks([3, 97]), [0, 50, 100]);
    assert.deepEqual(ticks([5]), [4.5, 5, 5.5]);
    assert.deepEqual(ticks([]), [0, 1]);
    assert.deepEqual(ticks([NaN]), [0, 1]);
    for (let i = 1; i < 200; i++) {
      const values = [Math.sin(i) * 10 ** (i % 7), Math.cos(i * 3) * 10 ** (i % 5)];
      const found = ticks(values);
      assert.ok(
        found[0] <= Math.min(...values) && found[found.length - 1] >= Math.max(...values),
        `${i}`
      );
      assert.ok(found.length >= 2 && found.length <= 6, `${values.join()} → ${found.join()}`);
    }
  });

  it('have labels of one length', () => {
    assert.deepEqual(labels([0.7, 0.75, 0.8]), ['0.70', '0.75', '0.80']);
    assert.deepEqual(labels([0, 50, 100]), ['0', '50', '100']);
    assert.deepEqual(labels([0, 200000]), ['0', '200k']);
  });
});

describe('numbers', () => {
  it('are short', () => {
    assert.deepEqual([0.78034, 12345, 1234, 2.5e6, 0, -3e-7, Infinity].map(short), [
      '0.7803',
      '12.3k',
      '1234',
      '2.5M',
      '0',
      '-3.0e-7',
      'Infinity'
    ]);
  });

  it('find their place', () => {
    assert.equal(scale([0, 10], [100, 0])(2.5), 75);
    assert.equal(scale([3, 3], [0, 10])(3), 5);
  });
});

describe('shapes', () => {
  it('break where nothing is known', () => {
    assert.equal(
      line([
        [0, 1],
        [1, 2],
        [2, null],
        [3, 4]
      ]),
      'M0 1L1 2M3 4'
    );
  });

  it('of histograms show density', () => {
    const found = bars([0, 1, 3, 3], [0.5, 0.5, 0.2]);
    assert.deepEqual(
      found.map(({ height }) => height),
      [1, 0.5, 1]
    );
    assert.deepEqual(bars([0, 0], [0]), [{ from: 0, to: 0, height: 0 }]);
  });
});
