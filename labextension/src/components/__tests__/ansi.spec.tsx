import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';
import { Ansi, overwritten, spans } from '../ansi';

/** `text`, `text/2` in a color, `text*` in bold. */
const told = (text: string): string[] =>
  spans(text).map(
    one => `${one.text}${one.color < 0 ? '' : `/${one.color}`}${one.isBold ? '*' : ''}`
  );

describe('sequences', () => {
  const rows: [string, string, string[]][] = [
    ['plain text', 'a b', ['a b']],
    ['nothing', '', []],
    ['a color, and its end', '\x1b[32mok\x1b[0m.', ['ok/2', '.']],
    ['no number means 0', '\x1b[32mok\x1b[m.', ['ok/2', '.']],
    ['a bright color is the same color', '\x1b[91mno', ['no/1']],
    ['black is a color', '\x1b[30mx', ['x/0']],
    ['the usual color again, still bold', '\x1b[1;34ma\x1b[39mb', ['a/4*', 'b*']],
    ['bold ends, the color stays', '\x1b[1;34ma\x1b[22mb', ['a/4*', 'b/4']],
    ['a color of a palette, and what follows it', '\x1b[38;5;31;1mx', ['x*']],
    ['a true color, and what follows it', '\x1b[38;2;30;31;32;1mx', ['x*']],
    ['backgrounds are left out', '\x1b[41mx\x1b[48;5;31my', ['x', 'y']],
    ['what moves a cursor is dropped', 'a\x1b[2K\x1b[1Ab', ['a', 'b']],
    ['a link keeps its words', '\x1b]8;;http://x\x07here\x1b]8;;\x07', ['here']],
    ['a lone escape', 'a\x1bMb', ['a', 'b']],
    ['at the very end', 'a\x1b[31m', ['a']],
    ['characters of any kind', '\x1b[31m日本 🎉', ['日本 🎉/1']]
  ];
  for (const [what, text, expected] of rows) {
    test(what, () => assert.deepEqual(told(text), expected));
  }
});

describe('lines that were written over', () => {
  const rows: [string, string, string][] = [
    ['only the last is seen', ' 10%\r 50%\r100%', '100%'],
    ['in each line', 'a\rb\nc\rd', 'b\nd'],
    ['line ends of Windows are line ends', 'a\r\nb\r\n', 'a\nb\n'],
    ['what waits to be written over is still seen', '50%\r', '50%'],
    ['nothing of it', 'a\nb', 'a\nb'],
    ['a line end that was doubled', 'a\r\r\nb', '\nb'],
    ['alone', '\r', ''],
    ['many times', `${'x\r'.repeat(1000)}y`, 'y'],
    ['a line of a whole file', 'x'.repeat(400_000), 'x'.repeat(400_000)]
  ];
  for (const [what, text, expected] of rows) {
    test(what, () => assert.equal(overwritten(text), expected));
  }
});

test('it is shown with its colors, and never as markup', () => {
  const html = renderToStaticMarkup(<Ansi text={'\x1b[1;31m<img src=x>\x1b[0m & more'} />);
  assert.equal(
    html,
    '<span class="jp-mlops-ansi-1 jp-mlops-bold">&lt;img src=x&gt;</span><span class=""> &amp; more</span>'
  );
});
