import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { putEdit, takeEdit } from '../cutting';
import { EditError, indentAt, isInFlow, lineAfter, lineEnd, linesOf, pairAt } from '../places';
import { read, splice } from '../source';

const TEXT = `name: flights  # asked often
tasks:
  pull:
    notebook: pull.ipynb
    parameters: {week: 1, deep: {a: [x, {b: 2}]}}
    text: |
      one
      two

  # of fit
  fit:
    needs:
      - pull
`;
const DOCUMENT = read(TEXT);

describe('the lines of a key', () => {
  const cases: [string, [number, number] | null][] = [
    ['name', [1, 1]],
    ['tasks', [2, 13]],
    ['tasks.pull', [3, 8]],
    ['tasks.pull.notebook', [4, 4]],
    ['tasks.pull.parameters.deep', [5, 5]],
    ['tasks.pull.text', [6, 8]],
    ['tasks.fit', [11, 13]],
    ['tasks.fit.needs', [12, 13]],
    ['tasks.nobody', null],
    ['name.deeper', null]
  ];
  cases.forEach(([path, lines]) =>
    it(path, () => {
      const found = linesOf(TEXT, DOCUMENT, path.split('.'));
      // A block of text ends with the blank lines below it.
      assert.deepEqual(found && path.endsWith('text') ? [found[0], found[1]] : found, lines);
    })
  );
});

describe('brackets', () => {
  const cases: [(string | number)[], boolean][] = [
    [['name'], false],
    [['tasks', 'pull', 'parameters'], false],
    [['tasks', 'pull', 'parameters', 'week'], true],
    [['tasks', 'pull', 'parameters', 'deep', 'a', 1, 'b'], true],
    [['tasks', 'fit', 'needs', 0], false]
  ];
  cases.forEach(([path, expected]) =>
    it(`${expected ? 'hold' : 'do not hold'} ${path.join('.')}`, () =>
      assert.equal(isInFlow(DOCUMENT, path), expected))
  );

  it('may hold the whole document', () => {
    assert.ok(isInFlow(read('{a: {b: 1}}'), ['a']));
  });
});

describe('a key', () => {
  it('is found as it is written: text, number or in quotes', () => {
    const document = read('1: a\n"two words": b\ntrue: c\n');
    for (const [key, value] of [
      ['1', 'a'],
      ['two words', 'b'],
      ['true', 'c']
    ]) {
      assert.equal(String(pairAt(document, [key])?.pair.value), value);
    }
    assert.equal(pairAt(document, ['3']), null);
    assert.equal(pairAt(read(''), ['a']), null);
  });
});

describe('lines of a text', () => {
  it('end before their break, or with the text', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 5].map(position => lineEnd('ab\ncd', position)),
      [2, 2, 2, 5, 5]
    );
  });

  it('begin with their indent, if nothing else stands there', () => {
    assert.equal(indentAt('a:\n    b: 1', 7), '    ');
    assert.equal(indentAt('a: 1', 0), '');
    assert.throws(() => indentAt('a: - b', 5), EditError);
  });

  it('are followed by new ones, in the way of the file', () => {
    const after = (text: string, position: number, line: string): string =>
      splice(text, [lineAfter(text, position, line)]);
    const cases: [string, number, string][] = [
      ['a: 1\nb: 2\n', 4, 'a: 1\n+\nb: 2\n'],
      ['a: 1 # one\nb: 2\n', 4, 'a: 1 # one\n+\nb: 2\n'],
      ['a: |\n  x\n\nb: 2\n', 10, 'a: |\n  x\n+\n\nb: 2\n'],
      ['a: 1\r\nb: 2\r\n', 4, 'a: 1\r\n+\r\nb: 2\r\n'],
      ['a: 1', 4, 'a: 1\n+'],
      ['', 0, '\n+']
    ];
    cases.forEach(([text, position, expected]) =>
      assert.equal(after(text, position, '+'), expected, JSON.stringify(text))
    );
    assert.equal(after('a: 1\r\n', 4, 'x\ny'), 'a: 1\r\nx\r\ny\r\n');
  });
});

describe('an edit of what is not there', () => {
  it('is refused by name', () => {
    assert.throws(
      () => putEdit(TEXT, DOCUMENT, ['tasks', 'fit', 'needs', 7], 'x'),
      /no tasks\.fit\.needs\.7/
    );
    assert.throws(() => takeEdit(TEXT, DOCUMENT, ['name', 'deeper']), /no name\.deeper/);
  });
});
