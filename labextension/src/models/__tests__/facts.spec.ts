import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Envelope } from '../../types';
import { code, columns, diffLines, entries, headline, lastWord, shortDigest } from '../facts';
import { versionMarks } from '../metricChart';

describe('a model in one line', () => {
  it('shows a metric that says how good it is', () => {
    assert.deepEqual(headline({ log_loss: 0.5, auc: 0.78 }), ['auc', 0.78]);
    assert.deepEqual(headline({ rmse: 3, mae: 2 }), ['mae', 2]);
    assert.equal(headline({}), null);
    assert.equal(shortDigest(`sha256:${'4a'.repeat(32)}`), '4a4a4a4a4a4a');
    assert.equal(shortDigest('weather@1'), 'weather@1');
    assert.equal(
      lastWord('sklearn.linear_model._logistic.LogisticRegression'),
      'LogisticRegression'
    );
  });
});

describe('an envelope', () => {
  it('tells columns and arrays', () => {
    const frame = {
      kind: 'frame',
      columns: [{ name: 'a', dtype: 'int64', has_missing: true, type: 'long' }]
    };
    assert.deepEqual(columns(frame), [{ name: 'a', type: 'int64', isOptional: true }]);
    assert.deepEqual(
      columns({ kind: 'array', dtype: 'float64', shape: [-1, 2] })[0].type,
      'float64 [… × 2]'
    );
    assert.deepEqual(columns(null), []);
  });

  it('has cells, or a script', () => {
    const of = (body: unknown): string[] => code({ code: body } as unknown as Envelope);
    assert.deepEqual(of({ cells: ['a = 1', { source: 'b' }], script: '' }), ['a = 1', 'b']);
    assert.deepEqual(of({ cells: [], script: 'x' }), ['x']);
    assert.deepEqual(of({}), []);
  });

  it('leaves out what says nothing', () => {
    assert.deepEqual(entries({ a_b: 1, c: '', d: null, e: {}, f: [], g: { h: 1 } }, ['a']), [
      ['a b', '1'],
      ['g', '{"h":1}']
    ]);
  });
});

describe('a comparison', () => {
  it('knows the lines of a diff', () => {
    const kinds = diffLines('--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n').map(({ kind }) => kind);
    assert.deepEqual(kinds, ['head', 'head', 'head', 'del', 'add', 'same']);
  });
});

describe('a chart', () => {
  it('names versions where there is room', () => {
    assert.deepEqual(versionMarks([1, 2, 3], [2]), [1, 2, 3]);
    const many = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.deepEqual(versionMarks(many, [50, 99]), [1, 50, 100]);
  });
});
