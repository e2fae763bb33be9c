import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parse } from 'yaml';

import { inline, isPlain, quoted, shown, typed } from '../scalars';

/** What a whole document with this one value says. */
const reread = (written: string): unknown => (parse(`a: ${written}\n`) as { a: unknown }).a;

describe('text without quotes', () => {
  it('is what no YAML takes for anything else', () => {
    for (const text of [
      'pull',
      'pull.ipynb',
      'notebooks/a b.ipynb',
      'Über 9 Wochen',
      '航班',
      'a:b',
      'a#b',
      'x-1',
      "it's",
      '12 monkeys',
      '1.2.3.4-rc',
      'nullable',
      'yesterday',
      'tasks.compare.results.auc > 0.6'
    ]) {
      assert.ok(isPlain(text, false), text);
      assert.equal(reread(text), text);
    }
  });

  it('is refused where 1.1 or 1.2 reads a number, a date, a truth value or nothing', () => {
    for (const text of [
      '',
      '~',
      'null',
      'NULL',
      'True',
      'no',
      'ON',
      'off',
      '=',
      '<<',
      '0',
      '-1',
      '+1',
      '007',
      '0x1f',
      '1_000',
      '1e3',
      '.5',
      '1.',
      '.inf',
      '-.INF',
      '.nan',
      '1:30',
      '12:30:45.5',
      '2024-01-01',
      '2024-1-1T10:00:00Z'
    ]) {
      assert.ok(!isPlain(text, false), text);
    }
  });

  it('is refused where a sign at its beginning or within means something', () => {
    for (const text of [
      '- a',
      '? a',
      ': a',
      '[a',
      '{a',
      '#a',
      '&a',
      '*a',
      '!a',
      '|',
      '>',
      "'a",
      '"a',
      '%a',
      '@a',
      '`a',
      ' a',
      'a ',
      'a: b',
      'a:',
      'a #b',
      'a\nb',
      'a\tb\u0007',
      '\ufeffa'
    ]) {
      assert.ok(!isPlain(text, false), JSON.stringify(text));
    }
  });

  it('has fewer letters to itself within brackets', () => {
    for (const text of ['a,b', 'a[0]', 'a{b}', '${params.week}']) {
      assert.ok(!isPlain(text, true), text);
    }
    assert.ok(isPlain('a,b', false) && isPlain('x${y}', false));
  });
});

describe('quotes', () => {
  it('are the simplest that hold the text', () => {
    const cases: [string, string][] = [
      ['a', '"a"'],
      ["it's", '"it\'s"'],
      ['say "so"', '\'say "so"\''],
      ['it\'s "so"', "'it''s \"so\"'"],
      ['C:\\data', "'C:\\data'"],
      ['a\nb', '"a\\nb"'],
      ['tab\there', '"tab\\there"'],
      ['\u0007', '"\\u0007"'],
      ['\u0085\u2028\ufeff', '"\\u0085\\u2028\\ufeff"'],
      ['', '""']
    ];
    for (const [text, expected] of cases) {
      assert.equal(quoted(text), expected);
      assert.equal(reread(expected), text);
    }
  });

  it('never let a line break through', () => {
    for (let code = 0; code < 0x3000; code++) {
      const text = `a${String.fromCharCode(code)}b`;
      const written = inline(text);
      assert.ok(!/[\n\r\u0085\u2028\u2029]/.test(written), `U+${code.toString(16)}`);
      if (code < 0x100 || code > 0x2000) {
        assert.equal(reread(written), text, `U+${code.toString(16)}`);
      }
    }
  });
});

describe('a value in one line', () => {
  it('reads back as what it was', () => {
    const cases: [unknown, string][] = [
      [null, 'null'],
      [undefined, 'null'],
      [true, 'true'],
      [0, '0'],
      [-0.5, '-0.5'],
      [1e21, '1e+21'],
      [12345678901234567890n, '12345678901234567890'],
      [NaN, '.nan'],
      [Infinity, '.inf'],
      [-Infinity, '-.inf'],
      ['yes', '"yes"'],
      [[], '[]'],
      [{}, '{}'],
      [['a', 1, null], '[a, 1, null]'],
      [['a, b', '[c]'], '["a, b", "[c]"]'],
      [{ limit: 3, delay: '2s' }, '{limit: 3, delay: 2s}'],
      [{ a: { b: [{ c: 'no' }] } }, '{a: {b: [{c: "no"}]}}'],
      [{ 'a: b': 1, '': 2, '1': 3 }, '{"1": 3, "a: b": 1, "": 2}']
    ];
    for (const [value, expected] of cases) {
      assert.equal(inline(value), expected);
    }
    for (const value of [['x', [1, ['y']]], { a: [{ b: '1e3' }] }, '🛫', 'a\u2028b']) {
      assert.deepEqual(reread(inline(value)), value);
    }
  });
});

describe('what somebody types', () => {
  it('is a value where it looks like one, and else the text', () => {
    const cases: [string, unknown][] = [
      ['', ''],
      ['   ', ''],
      [' 20 ', 20],
      ['-3', -3],
      ['1e3', 1000],
      ['0x10', 16],
      ['007', '007'],
      ['-007', '-007'],
      ['true', true],
      ['yes', 'yes'], // 1.2, as the server reads it
      ['~', null],
      ['Null', null],
      ['[]', []],
      ['{}', {}],
      ['[a, [b]]', ['a', ['b']]],
      ['{limit: 3}', { limit: 3 }],
      ['"a"', 'a'],
      ["'a'", 'a'],
      ["'it''s'", "it's"],
      ['a # b', 'a # b'],
      ['${params.week}', '${params.week}'],
      ['${params.a} and ${params.b}', '${params.a} and ${params.b}'],
      ['x ${params.week}', 'x ${params.week}'],
      ['[1, ', '[1, '],
      ['"open', '"open'],
      ['*nobody', '*nobody'],
      ['@home', '@home']
    ];
    for (const [text, value] of cases) {
      assert.deepEqual(typed(text), value, text);
    }
  });

  it('is shown as it would be typed', () => {
    const cases: [unknown, string][] = [
      [undefined, ''],
      [null, 'null'],
      [20, '20'],
      ['20', '"20"'],
      ['true', '"true"'],
      ['null', '"null"'],
      ['a b', 'a b'],
      ['2s', '2s'],
      ['[a', '[a'],
      ['[a]', '"[a]"'],
      ['', ''],
      [' a', '" a"'],
      [['a'], '[a]']
    ];
    for (const [value, text] of cases) {
      assert.equal(shown(value), text);
    }
  });

  it('comes back, whatever the value', () => {
    for (const value of [
      '"a"',
      "'",
      '#',
      '- a',
      'a: b',
      '{a: 1}',
      '${a',
      '0x1F',
      '.5',
      'a\nb',
      ' ',
      '\\n',
      '2024-01-01',
      ['${tasks.a.results.b}', 'x'],
      { a: { b: '1' } }
    ]) {
      assert.deepEqual(typed(shown(value)), value, JSON.stringify(value));
    }
  });
});
