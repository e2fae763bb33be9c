import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flops, formats, money, percent } from '../words';

function table<T>(
  title: string,
  told: (value: T) => unknown,
  cases: readonly (readonly [T, unknown])[]
): void {
  describe(title, () => {
    for (const [value, wanted] of cases) {
      test(`${String(value)} is ${String(wanted)}`, () => assert.deepEqual(told(value), wanted));
    }
  });
}

table('an amount of money', money, [
  [undefined, '–'],
  [null, '–'],
  [0, '$0'],
  [1e-9, '<$0.0001'],
  [0.0000499, '<$0.0001'],
  [0.00005, '$0.0001'],
  [0.00994, '$0.0099'],
  [0.01, '$0.010'],
  [0.0994, '$0.099'],
  [0.1, '$0.10'],
  [0.994, '$0.99'],
  [0.995, '$0.99'],
  [1, '$1.00'],
  [99.99, '$99.99'],
  [99.995, '$100'],
  [1e3, '$1,000'],
  [1234567.89, '$1,234,568'],
  [-0.5, '-$0.50'],
  [-1234, '-$1,234']
]);

table('a part of the whole', percent, [
  [0, '0 %'],
  [0.00004, '0.004 %'],
  [0.0049, '0.5 %'],
  [0.00994, '1 %'],
  [0.01, '1 %'],
  [0.995, '100 %'],
  [1, '100 %'],
  [12.345, '1235 %'],
  [-0.1, '-10 %']
]);

table('a rate', flops, [
  [0, '0 FLOPS'],
  [999.4, '999 FLOPS'],
  [999.5, '1 kFLOPS'],
  [1.5e6, '1.5 MFLOPS'],
  [1.34e11, '134 GFLOPS'],
  [9.996e11, '1 TFLOPS'],
  [1.979e15, '1.98 PFLOPS'],
  [4.2e18, '4.2 EFLOPS'],
  [1e22, '10000 EFLOPS'] // there is no larger prefix
]);

table('the number formats', formats, [
  [{}, []],
  [
    { int8: 4, float8: 3, float16: 2, bfloat16: 2, tfloat32: 1.5, float32: 1, float64: 0 },
    ['float64', 'float32', 'tfloat32', 'bfloat16', 'float16', 'float8', 'int8']
  ],
  [{ float4: 1, float64: 1 }, ['float64']] // of what nobody knows nothing is told
]);
