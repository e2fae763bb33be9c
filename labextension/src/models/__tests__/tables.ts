import assert from 'node:assert/strict';
import { test } from 'node:test';

/** A test for each row of a table: an input, and what becomes of it. */
export const each = <I, O>(cases: readonly (readonly [I, O])[], of: (input: I) => O): void =>
  cases.forEach(([input, expected]) =>
    test(`${JSON.stringify(input)} → ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(of(input), expected))
  );
