import { describe } from 'node:test';

import {
  code,
  columns,
  diffLines,
  entries,
  headline,
  lastWord,
  mapping,
  shortDigest,
  texts
} from '../facts';
import { envelope } from './builders';
import { each } from './tables';

describe('the metric that stands for a model', () => {
  each<Record<string, number>, [string, number] | null>(
    [
      [{}, null],
      [{ auc: 0 }, ['auc', 0]],
      [{ log_loss: 1, accuracy: 0.5, recall: 0.9 }, ['accuracy', 0.5]],
      [{ val_LOSS: 1, fit_time: 2 }, ['fit_time', 2]],
      [{ fit_seconds: 3, rmse: 1 }, ['fit_seconds', 3]],
      [{ ärger: 1, zeit: 2 }, ['zeit', 2]]
    ],
    headline
  );
});

describe('what an envelope says', () => {
  each<string, string>(
    [
      ['a.b.C', 'C'],
      ['C', 'C'],
      ['', '']
    ],
    lastWord
  );
  each<string, string>(
    [
      ['sha256:0123456789abcdef', '0123456789ab'],
      ['data sha256:01234567…', 'data 01234567'],
      ['sha256:0123', 'sha256:0123'],
      ['sha256:xyz', 'sha256:xyz'],
      ['', '']
    ],
    shortDigest
  );
  each<unknown, string[]>(
    [
      [null, []],
      ['a', []],
      [
        ['a', 1, { b: 2 }, null],
        ['a', '1', '{"b":2}', 'null']
      ]
    ],
    texts
  );
  each<unknown, unknown>(
    [
      [null, {}],
      [undefined, {}],
      [[1], {}],
      ['a', {}],
      [{ a: 1 }, { a: 1 }]
    ],
    mapping
  );
  each<unknown, unknown>(
    [
      [undefined, []],
      [{}, []],
      [{ kind: 'scalar' }, [{ name: 'scalar', type: 'scalar', isOptional: false }]],
      [{ dtype: 'int64', shape: [] }, [{ name: 'value', type: 'int64 []', isOptional: false }]],
      [{ columns: [] }, []],
      [
        { columns: [null, { name: 7, type: 'long' }] },
        [
          { name: '', type: '', isOptional: false },
          { name: '7', type: 'long', isOptional: false }
        ]
      ]
    ],
    columns
  );
  each<Record<string, unknown>, string[]>(
    [
      [{ script: null }, []],
      [{ script: 'x = 1' }, ['x = 1']],
      [{ cells: [{}, { source: null }, 'y'] }, ['', '', 'y']]
    ],
    body => code(envelope({ code: body }))
  );
  each<unknown, [string, string][]>(
    [
      [null, []],
      [['a'], []],
      [
        { a: 0, b: false, c: '', d: undefined },
        [
          ['a', '0'],
          ['b', 'false']
        ]
      ],
      [
        { time_zone_name: 'ü', x: 0.123456789 },
        [
          ['time zone name', 'ü'],
          ['x', '0.123457']
        ]
      ]
    ],
    body => entries(body)
  );
});

describe('the lines of a diff', () => {
  each<string, string[]>(
    [
      ['', []],
      ['\n', ['same']],
      ['+a', ['add']],
      ['--- a\n+++ b', ['head', 'head']],
      [
        '---\n+++ b\n@@ x\n-c\n--d\n++e\n f\n\\ No newline',
        ['head', 'head', 'head', 'del', 'del', 'add', 'same', 'same']
      ],
      // a comment of SQL that went, and a count that came
      [
        '--- a\n+++ b\n@@ x\n--- old rows\n+++i\n@@ y\n-z',
        ['head', 'head', 'head', 'del', 'add', 'head', 'del']
      ]
    ],
    diff => diffLines(diff).map(({ kind }) => kind)
  );
});
