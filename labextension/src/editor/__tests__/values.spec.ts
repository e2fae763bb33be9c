import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { at, changed, isSame, without } from '../values';

const PLAIN = { name: 'a', tasks: { x: { needs: ['y', 'z'], env: { A: null } } } };

describe('values', () => {
  it('are the same where they say the same', () => {
    const same: [unknown, unknown][] = [
      [1, 1],
      [NaN, NaN],
      [null, null],
      ['', ''],
      [[], []],
      [{}, {}],
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 }
      ],
      [{ a: undefined }, { a: undefined }]
    ];
    same.forEach(([one, other]) => assert.ok(isSame(one, other), JSON.stringify([one, other])));
  });

  it('differ by kind, order of a list, number of keys, and nothing at all', () => {
    const different: [unknown, unknown][] = [
      [1, '1'],
      [0, null],
      [0, false],
      ['', null],
      [null, undefined],
      [null, {}],
      [[], {}],
      [{}, []],
      [
        [1, 2],
        [2, 1]
      ],
      [[1], [1, 1]],
      [{ a: 1 }, { a: 1, b: undefined }],
      [{ a: undefined }, { b: undefined }],
      [{ a: { b: 1 } }, { a: { b: 2 } }],
      [[[]], [{}]]
    ];
    for (const [one, other] of different) {
      assert.ok(!isSame(one, other), JSON.stringify([one, other]));
      assert.ok(!isSame(other, one), JSON.stringify([other, one]));
    }
  });

  it('are found by a path', () => {
    const cases: [(string | number)[], unknown][] = [
      [[], PLAIN],
      [['name'], 'a'],
      [['tasks', 'x', 'needs', 1], 'z'],
      [['tasks', 'x', 'needs', 2], undefined],
      [['tasks', 'x', 'env', 'A'], null],
      [['tasks', 'x', 'env', 'A', 'deeper'], undefined],
      [['name', 0], undefined],
      [['nobody', 'x', 'y'], undefined]
    ];
    cases.forEach(([path, value]) => assert.equal(at(PLAIN, path), value, path.join('.')));
  });

  it('are changed in a copy, and what leads there is made', () => {
    const before = structuredClone(PLAIN);
    const cases: [(string | number)[], unknown][] = [
      [['name'], 'b'],
      [['tasks', 'x', 'needs', 0], 'w'],
      [['tasks', 'x', 'when'], 'true'],
      [['tasks', 'y', 'resources', 'cpu'], 2],
      [['name', 'deeper'], 1]
    ];
    for (const [path, value] of cases) {
      const made = changed(PLAIN, path, value);
      assert.equal(at(made, path), value);
      assert.deepEqual(PLAIN, before);
    }
    assert.deepEqual(changed(null, ['a', 'b'], 1), { a: { b: 1 } });
    assert.deepEqual(changed([['a'], ['b']], [1, 0], 'c'), [['a'], ['c']]);
  });

  it('lose what is at a path, and nothing beside it', () => {
    assert.deepEqual(without(PLAIN, ['name']), { tasks: PLAIN.tasks });
    assert.deepEqual(without(PLAIN, ['tasks', 'x', 'needs', 0]), {
      name: 'a',
      tasks: { x: { needs: ['z'], env: { A: null } } }
    });
    assert.deepEqual(without(PLAIN, ['tasks', 'x', 'env', 'A']), {
      name: 'a',
      tasks: { x: { needs: ['y', 'z'], env: {} } }
    });
    assert.deepEqual(without([['a', 'b'], 'c'], [0, 1]), [['a'], 'c']);
  });
});
