/** Every text that people read goes through the translator: this reads our sources for one that does not. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const SOURCE = resolve(__dirname, '../../src');

/** Generated, or nothing but addresses and drawings; the plugin's description is what JupyterLab calls it. */
const OTHER = ['schema.ts', 'types.ts', 'icons.ts', 'language.ts'];

/** Of an element, what people read or hear. */
const SPOKEN = /^(title|label|name|retry|alt|placeholder|caption|aria-(label|description))$/;

/** The names of our own calls whose text is translated, or is not for people. */
const TRANSLATED = /(^|\.)(__|_n)$/;
const SILENT =
  /^console\.|(^|\.)(load|querySelector|querySelectorAll|closest|split|join|includes|endsWith|startsWith|replace|addClass|removeClass|useQuery|matches)$/;

/** What is the same in every language: written in code, or the name of a thing. */
const SAME = [
  'Pipeline Editor',
  'Pipelines, runs, models, features and compute of jupyter_mlops.',
  'MLOps',
  'FLOPS',
  'UTC',
  '/Dockerfile',
  'allow-same-origin allow-popups',
  'secret:NAME',
  'images.json',
  'tasks.compare.results.auc > 0.6',
  '{model: [a, b]}',
  '${tasks.pull.results.airports}',
  'runs of',
  'run cost',
  'model cost'
];

const isWord = (text: string): boolean => /\p{L}{3,}/u.test(text);
/** Several words, and neither CSS nor a path. */
const isSentence = (text: string): boolean =>
  /\p{L}{2,}[,:…]? \p{L}|^ ?\p{L}{3,} $|^ \p{L}{3,}/u.test(text) &&
  !/jp-|[{}<>=;()]|^\//.test(text);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === '__tests__' ? [] : sources(path);
    }
    return /\.tsx?$/.test(entry.name) && !OTHER.includes(entry.name) ? [path] : [];
  });
}

/** The bare texts of a source, as `file:line: text`. */
function bare(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const say = (node: ts.Node, text: string): void => {
    if (!SAME.includes(text.trim())) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${name}:${line + 1}: ${text.trim()}`);
    }
  };
  /** `isShown`: what is text here is put on the page as it is. */
  const visit = (node: ts.Node, isShown: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) {
      return;
    }
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText();
      if (TRANSLATED.test(called)) {
        // Who gathers the texts reads them here, so that they must stand here.
        ts.isStringLiteralLike(node.arguments[0]) || say(node, `not a text: ${node.getText()}`);
        node.arguments.forEach(one => ts.isStringLiteralLike(one) || visit(one, isShown));
      } else if (!SILENT.test(called)) {
        node.forEachChild(child => visit(child, false));
      } else {
        visit(node.expression, false);
      }
    } else if (ts.isJsxText(node)) {
      isWord(node.text) && say(node, node.text);
    } else if (ts.isJsxElement(node) && node.openingElement.tagName.getText() === 'code') {
      return; // what is typed, in whatever language
    } else if (ts.isJsxAttribute(node)) {
      node.initializer && visit(node.initializer, SPOKEN.test(node.name.getText()));
    } else if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const texts = ts.isTemplateExpression(node)
        ? [node.head.text, ...node.templateSpans.map(span => span.literal.text)]
        : [node.text];
      texts
        .filter(text => (isShown ? isWord(text) : isSentence(text)))
        .forEach(text => say(node, text));
      node.forEachChild(child => visit(child, isShown));
    } else if (ts.isBinaryExpression(node) && /[!=]==/.test(node.operatorToken.getText())) {
      node.forEachChild(child => ts.isStringLiteralLike(child) || visit(child, false)); // compared, not shown
    } else if (ts.isConditionalExpression(node)) {
      visit(node.condition, false);
      visit(node.whenTrue, isShown);
      visit(node.whenFalse, isShown);
    } else if (ts.isJsxExpression(node)) {
      node.forEachChild(child => visit(child, isShown || !ts.isJsxAttribute(node.parent)));
    } else if (ts.isBinaryExpression(node) || ts.isParenthesizedExpression(node)) {
      node.forEachChild(child => visit(child, isShown));
    } else {
      node.forEachChild(child => visit(child, false));
    }
  };
  visit(file, false);
  return found;
}

test('every text that people read is translated', () => {
  const found = sources(SOURCE).flatMap(path =>
    bare(relative(SOURCE, path), readFileSync(path, 'utf8'))
  );
  assert.deepEqual(found, []);
});

test('a bare text is found, and one that is not for people is not', () => {
  const found = (source: string): string[] => bare('x.tsx', source);
  assert.deepEqual(found('<p>Nothing has run</p>'), ['x.tsx:1: Nothing has run']);
  assert.deepEqual(found('<p title="a run">{ok ? "fine" : trans.__("bad")}</p>').length, 2);
  assert.deepEqual(found('const said = `${n} min ago`;'), ['x.tsx:1: min ago']);
  assert.deepEqual(found('trans.__(title)'), ['x.tsx:1: not a text: trans.__(title)']);
  assert.deepEqual(
    found('<p className="jp-mlops-Row jp-mod-live" id="fine">{trans.__("Runs")}</p>'),
    []
  );
  assert.deepEqual(found('if (kind === "run") { console.warn("it went wrong"); }'), []);
});
