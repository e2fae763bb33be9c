import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bars, density, labels, line, round, scale, short, ticks } from '../plot';
import { each } from './tables';

describe('a number in few characters', () => {
  each<number, string>(
    [
      [0, '0'],
      [-0, '0'],
      [1, '1'],
      [-1.5, '-1.5'],
      [0.1 + 0.2, '0.3'],
      [0.00012345, '0.0001234'],
      [0.0001, '0.0001'],
      [0.00009999, '1.0e-4'],
      [9999, '9999'],
      [9999.9, '10000'],
      [10_000, '10k'],
      [-12_345, '-12.3k'],
      [999_499, '999k'],
      [1e6, '1M'],
      [1e9, '1B'],
      [7.77e12, '7.77T'],
      [1e15, '1.0e+15'],
      [Number.MAX_VALUE, '1.8e+308'],
      [NaN, 'NaN'],
      [-Infinity, '-Infinity']
    ],
    short
  );
});

describe('round numbers around values', () => {
  each<number[], number[]>(
    [
      [[], [0, 1]],
      [
        [Infinity, NaN],
        [0, 1]
      ],
      [[0], [-1, 0, 1]],
      [
        [1, Infinity],
        [0.9, 1, 1.1]
      ],
      [
        [-5, 5],
        [-5, 0, 5]
      ],
      [
        [0, 1],
        [0, 0.5, 1]
      ],
      [
        [0.0001, 0.0003],
        [0.0001, 0.0002, 0.0003]
      ],
      [
        [1e9, 3e9],
        [1e9, 2e9, 3e9]
      ]
    ],
    values => ticks(values)
  );

  test('are more when more are wanted', () => {
    assert.deepEqual(ticks([0, 10], 6), [0, 2, 4, 6, 8, 10]);
    assert.deepEqual(ticks([0, 10], 1), [0, 10]);
  });
});

describe('labels of an axis', () => {
  each<number[], string[]>(
    [
      [
        [0, 0.5, 1],
        ['0.0', '0.5', '1.0']
      ],
      [
        [-5, 0, 5],
        ['-5', '0', '5']
      ],
      [
        [0.1234567, 1],
        ['0.123457', '1.000000']
      ],
      [
        [0, 5e-5],
        ['0', '5.0e-5']
      ],
      [
        [0, 0],
        ['0', '0']
      ],
      [
        [1e5, 1.5e5],
        ['100k', '150k']
      ]
    ],
    labels
  );
});

describe('places', () => {
  const toPixels = scale([10, 20], [100, 0]);
  each<number, number>(
    [
      [10, 100],
      [20, 0],
      [15, 50],
      [25, -50],
      [5, 150]
    ],
    toPixels
  );
  each<number, number>(
    [
      [1.25, 1.3],
      [1.24, 1.2],
      [-1.26, -1.3],
      [0, 0]
    ],
    round
  );

  test('a line of nothing, and of gaps alone', () => {
    assert.equal(line([]), '');
    assert.equal(
      line([
        [0, null],
        [1, null]
      ]),
      ''
    );
    assert.equal(
      line([
        [0, 0],
        [1, null],
        [2, 0]
      ]),
      'M0 0M2 0'
    );
  });
});

describe('a histogram', () => {
  test('is as high as its densest bin', () => {
    assert.equal(density([0, 1, 3], [0.5, 0.5]), 0.5);
    assert.equal(density([0, 0], [1]), 0);
    assert.equal(density([], []), 0);
  });

  const heights: [string, number[], number[], number | undefined, number[]][] = [
    ['no bins', [0], [], undefined, []],
    ['equal shares in bins of other widths', [0, 1, 5], [0.5, 0.5], undefined, [1, 0.25]],
    ['an empty bin', [0, 1, 2], [0, 1], undefined, [0, 1]],
    ['empty bins alone', [0, 1, 2], [0, 0], undefined, [0, 0]],
    ['one value that is often there', [0, 1, 1, 2], [0.2, 0.7, 0.1], undefined, [1, 1, 0.5]],
    ['against another that is denser', [0, 1], [1], 2, [0.5]]
  ];
  for (const [what, edges, shares, highest, expected] of heights) {
    test(`of ${what}`, () =>
      assert.deepEqual(
        bars(edges, shares, highest).map(({ height }) => height),
        expected
      ));
  }
});
