import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EditError } from '../places';
import { append, plain, proved, put, read, splice, take } from '../source';
import type { Path } from '../values';

/** A table of changes: what was, what is done, what is afterwards. */
type Case = [title: string, before: string, change: (text: string) => string, after: string];

const check = (cases: Case[]): void =>
  cases.forEach(([title, before, change, after]) =>
    it(title, () => assert.equal(change(before), after))
  );
const putting =
  (path: string, value: unknown) =>
  (text: string): string =>
    put(text, pathOf(path), value);
const taking =
  (path: string) =>
  (text: string): string =>
    take(text, pathOf(path));
const appending =
  (path: string, item: unknown) =>
  (text: string): string =>
    append(text, pathOf(path), item);
const pathOf = (path: string): Path =>
  path.split('.').map(one => (/^\d+$/.test(one) ? Number(one) : one));

/** Each line names the one before ten times: a few lines that would fill any memory. */
const laughs = (lines: number): string =>
  ['a0: &a0 [x]', ...Array.from({ length: lines }, (_, i) => laugh(i))].join('\n');
const laugh = (i: number): string => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`;

describe('reading', () => {
  it('tells the line that is no YAML', () => {
    const cases: [string, RegExp][] = [
      ['a: [1,\n', /not YAML in line 2/],
      ['a: 1\nb: "open\n', /not YAML in line [23]/],
      ['a: 1\n\tb: 2', /not YAML in line 2/],
      ['a: 1\na: 2', /line 2.*unique/],
      ['a: *nobody', /not YAML: .*nobody/],
      ['a: &a {b: *a}', /not YAML: .*circular/],
      ['a: {<<: 3}', /not YAML: Merge/],
      [laughs(9), /not YAML: Excessive alias count/],
      ['a: 1\n---\nb: 2', /not YAML/]
    ];
    for (const [text, expected] of cases) {
      assert.throws(() => read(text), expected, text);
      assert.throws(() => read(text), EditError);
    }
  });

  it('takes nothing but a mapping', () => {
    ['- a', 'text', '3', '[a]'].forEach(text => assert.throws(() => read(text), /not a mapping/));
    ['', '\n', '# only a comment', '{}'].forEach(text => assert.deepEqual(plain(text), {}, text));
  });

  it('reads as the server does', () => {
    assert.deepEqual(
      plain(
        'a: yes\nb: 007\nc: 0x10\nd: ~\ne: 2024-01-01\nf: 1_0\nbase: &b {x: 1}\ng: {<<: *b, y: 2}'
      ),
      {
        a: 'yes',
        b: '007',
        c: 16,
        d: null,
        e: '2024-01-01',
        f: '1_0',
        base: { x: 1 },
        g: { x: 1, y: 2 }
      }
    );
  });
});

describe('splicing', () => {
  it('makes edits in any order, by where they were', () => {
    const edits = [
      { start: 0, end: 1, text: 'AA' },
      { start: 4, end: 6, text: '' },
      { start: 2, end: 2, text: '-' }
    ];
    assert.equal(splice('abcdef', edits), 'AAb-cd');
    assert.equal(splice('abcdef', [...edits].reverse()), 'AAb-cd');
    assert.equal(splice('abc', []), 'abc');
  });

  it('hands out nothing that says something else than was wanted', () => {
    const edit = { start: 3, end: 4, text: '2' };
    assert.equal(proved('a: 1', [edit], { a: 2 }), 'a: 2');
    assert.throws(() => proved('a: 1', [edit], { a: '2' }), EditError);
    assert.throws(() => proved('a: 1', [{ ...edit, text: '[' }], { a: '[' }), /only the text/);
  });
});

describe('a value that is there', () => {
  check([
    ['is replaced', 'a: 1\nb: 2\n', putting('a', 3), 'a: 3\nb: 2\n'],
    ['keeps the comment behind it', 'a: 1  # one\n', putting('a', 2), 'a: 2  # one\n'],
    ['keeps the space before it', 'a:    1\n', putting('a', 2), 'a:    2\n'],
    ['gets quotes where it must', 'a: 1\n', putting('a', 'no'), 'a: "no"\n'],
    ['loses quotes that it needs no more', 'a: "1"\n', putting('a', 1), 'a: 1\n'],
    ['was empty', 'a:\nb: 1\n', putting('a', 2), 'a: 2\nb: 1\n'],
    ['was empty, with a comment', 'a: # none\nb: 1\n', putting('a', 2), 'a: 2 # none\nb: 1\n'],
    ['was null', 'a: ~\n', putting('a', 2), 'a: 2\n'],
    ['was a block of text', 'a: |\n  x\n  y\nb: 1\n', putting('a', 'z'), 'a: z\nb: 1\n'],
    ['was folded', 'a: >-\n  x\n  y\n', putting('a', 'z'), 'a: z\n'],
    ['was a list of lines', 'a:\n  - x\n  - y\nb: 1\n', putting('a', 'z'), 'a: z\nb: 1\n'],
    ['was a list in brackets', 'a: [x, y] # two\n', putting('a', ['z']), 'a: [z] # two\n'],
    ['was a mapping', 'a:\n  b: 1\n  c: 2\nd: 3\n', putting('a', 0), 'a: 0\nd: 3\n'],
    ['stands in braces', 'a: {b: 1, c: 2}\n', putting('a.b', 3), 'a: {b: 3, c: 2}\n'],
    ['stands in braces with a comma', 'a: {b: 1}\n', putting('a.b', 'x, y'), 'a: {b: "x, y"}\n'],
    ['is an item', 'a:\n- x # 1\n- y\n', putting('a.1', 'z'), 'a:\n- x # 1\n- z\n'],
    ['is an item in brackets', 'a: [x, y]\n', putting('a.0', 'b, c'), 'a: ["b, c", y]\n'],
    ['has a tag, which goes', 'a: !!str 1\n', putting('a', 2), 'a: 2\n'],
    ['is at the very end', 'a: 1', putting('a', 2), 'a: 2'],
    ['stands in a file from Windows', 'a: 1\r\nb: 2\r\n', putting('a', 3), 'a: 3\r\nb: 2\r\n'],
    ['is what it was', 'a:   1 # x\n', putting('a', 1), 'a:   1 # x\n'],
    ['has a key in quotes', '"a b": 1\n', putting('a b', 2), '"a b": 2\n'],
    ['has letters from everywhere', 'ключ: ü # 航\n', putting('ключ', '🛫'), 'ключ: 🛫 # 航\n']
  ]);
});

describe('a value that is new', () => {
  check([
    ['in nothing', '', putting('a', 1), 'a: 1\n'],
    ['in nothing, deep', '', putting('a.b.c', 1), 'a:\n  b:\n    c: 1\n'],
    ['in a comment', '# hello', putting('a', 1), '# hello\na: 1\n'],
    ['comes last', 'a: 1\n', putting('b', 2), 'a: 1\nb: 2\n'],
    ['comes last without a line break', 'a: 1', putting('b', 2), 'a: 1\nb: 2'],
    ['stays before what is below', 'a: 1\n# end\n', putting('b', 2), 'a: 1\nb: 2\n# end\n'],
    [
      'has the indent of its mapping',
      'a:\n    b: 1\n',
      putting('a.c', 2),
      'a:\n    b: 1\n    c: 2\n'
    ],
    ['goes into braces', 'a: {b: 1}\n', putting('a.c', 2), 'a: {b: 1, c: 2}\n'],
    ['goes behind a last comma', 'a: {b: 1,}\n', putting('a.c', 2), 'a: {b: 1, c: 2}\n'],
    ['opens empty braces as lines', 'a: {}\n', putting('a.b', 1), 'a:\n  b: 1\n'],
    ['stays within outer braces', 'x: {a: {}}\n', putting('x.a.b', 1), 'x: {a: {b: 1}}\n'],
    ['goes into null', 'a:\nc: 1\n', putting('a.b', 2), 'a:\n  b: 2\nc: 1\n'],
    ['takes the place of a text', 'a: x\n', putting('a.b', 2), 'a:\n  b: 2\n'],
    [
      'leaves the comment at its key',
      'a: # why\nc: 1\n',
      putting('a.b', 2),
      'a: # why\n  b: 2\nc: 1\n'
    ],
    [
      'comes after a block of text',
      'a:\n  b: |\n    x\nc: 1\n',
      putting('a.d', 2),
      'a:\n  b: |\n    x\n  d: 2\nc: 1\n'
    ],
    ['keeps blank lines between', 'a: 1\n\nb: 2\n', putting('c', 3), 'a: 1\n\nb: 2\n\nc: 3\n'],
    [
      'keeps to most of its neighbors',
      'a: 1\n\nb: 2\nc: 3\n',
      putting('d', 4),
      'a: 1\n\nb: 2\nc: 3\nd: 4\n'
    ],
    [
      'has the line ends of its file',
      'a: 1\r\nb: 2\r\n',
      putting('c.d', 3),
      'a: 1\r\nb: 2\r\nc:\r\n  d: 3\r\n'
    ],
    ['has a key that needs quotes', 'a: 1\n', putting('no', 2), 'a: 1\n"no": 2\n'],
    [
      'is a mapping of mappings',
      'a: 1\n',
      putting('b', { c: { d: 1 } }),
      'a: 1\nb:\n  c: {d: 1}\n'
    ],
    ['is an empty list', 'a: 1\n', putting('b', []), 'a: 1\nb: []\n']
  ]);

  it('says all that it should afterwards', () => {
    const made = put('a: 1\n', ['b', 'c'], { d: [1, { e: 'no' }], f: null });
    assert.deepEqual(plain(made), { a: 1, b: { c: { d: [1, { e: 'no' }], f: null } } });
  });
});

describe('a value that goes', () => {
  check([
    ['takes its line along', 'a: 1\nb: 2\n', taking('a'), 'b: 2\n'],
    ['takes its comments along', 'a: 1\n# of b\nb: 2 # two\nc: 3\n', taking('b'), 'a: 1\nc: 3\n'],
    [
      'leaves the comments of others',
      '# of a\na: 1\nb: 2\n# of c\nc: 3\n',
      taking('b'),
      '# of a\na: 1\n# of c\nc: 3\n'
    ],
    ['takes a whole block', 'a:\n  b: 1\n  # deep\n  c: 2\nd: 3\n', taking('a'), 'd: 3\n'],
    ['leaves one blank line', 'a: 1\n\nb: 2\n\nc: 3\n', taking('b'), 'a: 1\n\nc: 3\n'],
    ['is the last', 'a: 1\n\nb: 2\n', taking('b'), 'a: 1\n'],
    ['is the last without a line break', 'a: 1\nb: 2', taking('b'), 'a: 1\n'],
    ['stands in braces', 'a: {b: 1, c: 2, d: 3}\n', taking('a.c'), 'a: {b: 1, d: 3}\n'],
    ['is the first in braces', 'a: {b: 1, c: 2}\n', taking('a.b'), 'a: {c: 2}\n'],
    ['is an item', 'a:\n  - x\n  # of y\n  - y\n  - z\n', taking('a.1'), 'a:\n  - x\n  - z\n'],
    ['is an item in brackets', 'a: [x, y, z]\n', taking('a.2'), 'a: [x, y]\n'],
    ['is the last of its list', 'a: [x]\nb: 1\n', taking('a.0'), 'a: []\nb: 1\n'],
    ['leaves its top in place', 'tasks:\n  a:\n    b: 1\n', taking('tasks.a'), 'tasks: {}\n'],
    [
      'empties what holds it',
      't:\n  a:\n    p:\n      x: 1\n    n: 2\n',
      taking('t.a.p.x'),
      't:\n  a:\n    n: 2\n'
    ],
    ['was never there', 'a: 1 # one\n', taking('b.c'), 'a: 1 # one\n'],
    ['is null', 'a: 1\nb:\n', taking('b'), 'a: 1\n'],
    ['stands in a file from Windows', 'a: 1\r\nb: 2\r\nc: 3\r\n', taking('b'), 'a: 1\r\nc: 3\r\n'],
    ['is a block of text', 'a: |\n  x\n\n  # no comment\nb: 1\n', taking('a'), 'b: 1\n']
  ]);
});

describe('an item more', () => {
  check([
    ['in lines', 'a:\n  - x\n', appending('a', 'y'), 'a:\n  - x\n  - y\n'],
    [
      'in lines without an indent',
      'a:\n- x # 1\nb: 1\n',
      appending('a', 'y'),
      'a:\n- x # 1\n- y\nb: 1\n'
    ],
    ['in brackets', 'a: [x]\n', appending('a', 'y, z'), 'a: [x, "y, z"]\n'],
    ['in none', 'b: 1\n', appending('a', 'y'), 'b: 1\na: [y]\n'],
    ['in an empty list', 'a: []\n', appending('a', 'y'), 'a: [y]\n'],
    [
      'behind a mapping',
      'a:\n  - b: 1\n    c: 2\n',
      appending('a', 'y'),
      'a:\n  - b: 1\n    c: 2\n  - y\n'
    ]
  ]);
});

describe('what anchors share', () => {
  const shared = 'base: &b\n  x: 1\nown:\n  <<: *b\n  y: 2\nother: *b\n';

  it('is refused rather than changed for others', () => {
    const refused: ((text: string) => string)[] = [
      putting('base.x', 2),
      taking('own.x'),
      putting('other.x', 2),
      putting('other.new', 2),
      taking('base')
    ];
    refused.forEach(change => assert.throws(() => change(shared), EditError, change.toString()));
  });

  it('does not keep the rest from being changed', () => {
    assert.equal(put(shared, ['own', 'y'], 3), shared.replace('y: 2', 'y: 3'));
    assert.equal(put(shared, ['own', 'x'], 5), shared.replace('  y: 2\n', '  y: 2\n  x: 5\n'));
    assert.equal(put(shared, ['other'], 5), shared.replace('other: *b', 'other: 5'));
    assert.equal(take(shared, ['other']), shared.replace('other: *b\n', ''));
  });
});
