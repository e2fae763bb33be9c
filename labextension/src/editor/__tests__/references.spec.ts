import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renameIn, renameWithin, TASK_NAME, tasksIn, tasksWithin } from '../references';

describe('the name of a task', () => {
  it('begins with a letter', () => {
    ['a', 'Pull', 'x_1', 'train-b', 'a'.repeat(200)].forEach(name => assert.match(name, TASK_NAME));
    ['', '1st', '_a', '-a', 'a b', 'a.b', 'Über', 'a\n', '${x}', '<b>'].forEach(name =>
      assert.doesNotMatch(name, TASK_NAME)
    );
  });
});

describe('references in a text', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['tasks.a.results.x', []], // only a condition names tasks without a hole
    ['${tasks.a.results.x}', ['a']],
    ['${ tasks.a.results.x }', ['a']],
    ['${tasks.train-b.state}', ['train-b']],
    ['${tasks.a.x}${tasks.b.x}${tasks.a.y}', ['a', 'b']],
    ['${tasks.fit[model=a].results.auc}', ['fit']],
    ['$${tasks.a.x}', []],
    ['$$${tasks.a.x}', []],
    ['${params.tasks.a}', []],
    ['${tasks.a', []],
    ['${tasks.}', []],
    ['${tasks.1a.x}', []],
    ['${tasks.a.{b}}', []],
    ['a\n${tasks.a.x}\nb', ['a']]
  ];
  cases.forEach(([text, names]) =>
    it(JSON.stringify(text), () => assert.deepEqual(tasksIn(text), names))
  );
});

describe('references in a condition', () => {
  const cases: [string, string[]][] = [
    ['tasks.a.results.auc > 0.6', ['a']],
    ['not tasks.a.state and (tasks.b.state)', ['a', 'b']],
    ["params.x == 'tasks.a.state'", []],
    ['params.x == "tasks.a.state"', []],
    ["'it' == tasks.a.state", ['a']],
    ['${tasks.a.results.n} > tasks.b.results.n', ['a', 'b']],
    ['mytasks.a.x or my.tasks.b.x or my-tasks.c.x or $tasks.d.x', []],
    ["'open tasks.a.state", ['a']],
    ['tasks . a', []]
  ];
  cases.forEach(([text, names]) => it(text, () => assert.deepEqual(tasksIn(text, true), names)));
});

describe('a renamed task', () => {
  const cases: [string, string, boolean?][] = [
    ['${tasks.a.results.x} of ${tasks.b.x}', '${tasks.z.results.x} of ${tasks.b.x}'],
    ['${ tasks.a.x }', '${ tasks.z.x }'],
    ['${tasks.ab.x} ${tasks.a-b.x} ${tasks.a_.x}', '${tasks.ab.x} ${tasks.a-b.x} ${tasks.a_.x}'],
    ['$${tasks.a.x}', '$${tasks.a.x}'],
    ['${tasks.b.results.a}', '${tasks.b.results.a}'],
    ['a tasks.a.x', 'a tasks.a.x'],
    ['tasks.a.x > 1 and tasks.b.a', 'tasks.z.x > 1 and tasks.b.a', true],
    ["tasks.a.x == 'tasks.a.x'", "tasks.z.x == 'tasks.a.x'", true]
  ];
  cases.forEach(([before, after, isCondition]) =>
    it(`${isCondition ? 'when: ' : ''}${before}`, () => {
      assert.equal(renameIn(before, 'a', 'z', isCondition), after);
      assert.equal(renameIn(after, 'nobody', 'q', isCondition), after);
    })
  );

  it('may have a name with signs that replacements know', () => {
    assert.equal(renameIn('${tasks.a.x}', 'a', 'b$1$&'), '${tasks.b$1$&.x}');
  });
});

describe('references at any depth', () => {
  const value = {
    rows: '${tasks.pull.results.rows}',
    list: [1, null, true, ['${tasks.fit.results.auc}', { deep: '${tasks.pull.state}' }]],
    '${tasks.key.x}': 'a key is no reference'
  };

  it('are found once each, in order', () => {
    assert.deepEqual(tasksWithin(value), ['pull', 'fit']);
    [null, undefined, 3, true, [], {}].forEach(none => assert.deepEqual(tasksWithin(none), []));
  });

  it('are renamed in a copy; all else stays as it is', () => {
    const before = structuredClone(value);
    assert.deepEqual(renameWithin(value, 'pull', 'load'), {
      rows: '${tasks.load.results.rows}',
      list: [1, null, true, ['${tasks.fit.results.auc}', { deep: '${tasks.load.state}' }]],
      '${tasks.key.x}': 'a key is no reference'
    });
    assert.deepEqual(value, before);
    assert.deepEqual(
      [null, 0, false].map(one => renameWithin(one, 'a', 'b')),
      [null, 0, false]
    );
  });
});
