/** The pieces of text that a change of a value cuts and pastes. Whether they say what they should, `source` proves. */
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  Node,
  Pair,
  YAMLMap,
  YAMLSeq
} from 'yaml';

import {
  EditError,
  endOf,
  IEdit,
  indentAt,
  isInFlow,
  lineAfter,
  lineEnd,
  pairAt,
  pairEnd,
  startOf
} from './places';
import { trans } from '../language';
import { inline } from './scalars';
import { Path, Plain } from './values';

/** Puts a value at a path; mappings that lead there are made. */
export function putEdit(
  text: string,
  document: Document.Parsed,
  path: Path,
  value: unknown
): IEdit {
  if (document.contents === null) {
    const start = text === '' || text.endsWith('\n') ? '' : '\n';
    return {
      start: text.length,
      end: text.length,
      text: `${start}${lines(path, value, '').join('\n')}\n`
    };
  }
  if (typeof path[path.length - 1] === 'number') {
    const node = document.getIn(path, true) as Node | undefined;
    if (!node) {
      throw new EditError(trans.__('There is no %1', path.join('.')));
    }
    return {
      start: startOf(node),
      end: node.range![1],
      text: inline(value, isInFlow(document, path))
    };
  }
  let depth = path.length;
  while (depth > 1 && !pairAt(document, path.slice(0, depth))) {
    depth--;
  }
  const known = path.slice(0, depth);
  const found = pairAt(document, known);
  if (!found) {
    return newPair(text, document.contents as unknown as YAMLMap, path, value, false);
  }
  if (depth === path.length) {
    return newValue(text, found.pair, inline(value, isInFlow(document, path)));
  }
  const inner = found.pair.value as Node | null;
  if (isMap(inner) && (inner.items.length > 0 || inner.flow)) {
    const isFlow = inner.flow === true || isInFlow(document, known);
    if (isFlow && inner.items.length === 0 && !isInFlow(document, known)) {
      return newBlock(text, found.pair, path.slice(depth), value);
    }
    return newPair(text, inner as YAMLMap, path.slice(depth), value, isFlow);
  }
  if (isAlias(inner)) {
    throw new EditError(
      trans.__('%1 is shared by an anchor: change it in the text', known.join('.'))
    );
  }
  if (isInFlow(document, known)) {
    return newValue(text, found.pair, inline(nested(path.slice(depth), value), true));
  }
  return newBlock(text, found.pair, path.slice(depth), value);
}

/** Puts an item at the end of a list that has some. */
export function appendEdit(
  text: string,
  document: Document.Parsed,
  path: Path,
  list: YAMLSeq,
  item: unknown
): IEdit {
  const last = list.items[list.items.length - 1] as Node;
  const written = inline(item, isInFlow(document, path) || list.flow === true);
  const position = endOf(last);
  if (list.flow) {
    return { start: position, end: position, text: `, ${written}` };
  }
  const indent = indentAt(text, text.lastIndexOf('-', startOf(last)));
  return lineAfter(text, position, `${indent}- ${written}`);
}

/** A mapping of its own lines in the place of a value that was none (or an empty one). */
function newBlock(text: string, pair: Pair, path: Path, value: unknown): IEdit {
  const indent = indentAt(text, startOf(pair.key as Node)) + '  ';
  const edit = newValue(text, pair, '');
  const body = lines(path, value, indent).join('\n');
  const rest = text.slice(edit.end, lineEnd(text, edit.end));
  // A comment behind the key stays behind the key.
  return {
    start: edit.start,
    end: edit.end + rest.length,
    text: `${edit.text.trimEnd()}${rest.trimEnd()}\n${body}`
  };
}

function newValue(text: string, pair: Pair, written: string): IEdit {
  const value = pair.value as Node | null;
  const keyEnd = (pair.key as Node).range![1];
  const colon = text.indexOf(':', keyEnd) + 1;
  const space = written === '' ? '' : ' ';
  if (!value || (isScalar(value) && value.value === null && startOf(value) === value.range![1])) {
    return { start: colon, end: colon, text: `${space}${written}` };
  }
  const isBlock = isCollection(value) && !value.flow;
  if (isBlock) {
    const between = text.slice(colon, startOf(value));
    const comment = /^[ \t]*#[^\n]*/.exec(between)?.[0].trimEnd() ?? '';
    return { start: colon, end: endOf(value), text: `${space}${written}${comment}` };
  }
  const end = value.range![1];
  const isLine = text[end - 1] === '\n';
  return {
    start: colon,
    end,
    text: `${spaceBefore(text, colon, startOf(value), written)}${written}${isLine ? '\n' : ''}`
  };
}

/** What stands between a colon and its value, without an anchor or tag, which would be the old value's. */
function spaceBefore(text: string, colon: number, start: number, written: string): string {
  const space = text.slice(colon, start);
  return /^[ \t]+$/.test(space) ? space : written === '' ? '' : ' ';
}

function newPair(text: string, map: YAMLMap, path: Path, value: unknown, isFlow: boolean): IEdit {
  const last = map.items[map.items.length - 1] as Pair | undefined;
  if (isFlow) {
    const written = `${inline(String(path[0]), true)}: ${inline(nested(path.slice(1), value), true)}`;
    if (!last) {
      const open = startOf(map as unknown as Node) + 1;
      return { start: open, end: open, text: written };
    }
    const end = pairEnd(last);
    const comma = /^\s*,/.exec(text.slice(end, map.range![1]))?.[0].length ?? 0;
    return { start: end + comma, end: end + comma, text: comma ? ` ${written}` : `, ${written}` };
  }
  if (!last) {
    throw new EditError(trans.__('This part is written in a way that only the text can change'));
  }
  const indent = indentAt(text, startOf((map.items[0] as Pair).key as Node));
  const gap = hasGaps(text, map) ? '\n' : '';
  return lineAfter(text, pairEnd(last), gap + lines(path, value, indent).join('\n'));
}

/** Whether the pairs of a mapping stand apart, so that a new one should, too. */
function hasGaps(text: string, map: YAMLMap): boolean {
  const starts = map.items.slice(1).map(pair => text.lastIndexOf('\n', startOf(pair.key as Node)));
  const isApart = (position: number): boolean => {
    let above = position;
    // Comments belong to what is below them.
    for (;;) {
      const begin = text.lastIndexOf('\n', above - 1) + 1;
      const line = text.slice(begin, above).trim();
      if (line === '') {
        return true;
      }
      if (!line.startsWith('#') || begin === 0) {
        return false;
      }
      above = begin - 1;
    }
  };
  return starts.length > 0 && starts.filter(isApart).length * 2 > starts.length;
}

function nested(path: Path, value: unknown): unknown {
  return path.length === 0 ? value : { [path[0]]: nested(path.slice(1), value) };
}

/** A path and its value as lines; a mapping of values gets a line for each. */
function lines(path: Path, value: unknown, indent: string): string[] {
  const [key, ...rest] = path;
  const head = `${indent}${inline(String(key))}:`;
  if (rest.length > 0) {
    return [head, ...lines(rest, value, indent + '  ')];
  }
  if (
    isPlainMap(value) &&
    Object.values(value).some(item => isPlainMap(item) || path.length === 1)
  ) {
    return [
      head,
      ...Object.entries(value).flatMap(([name, item]) => innerLines(name, item, indent + '  '))
    ];
  }
  return [`${head} ${inline(value)}`];
}

function innerLines(name: string, value: unknown, indent: string): string[] {
  return [`${indent}${inline(name)}: ${inline(value)}`];
}

function isPlainMap(value: unknown): value is Plain {
  return (
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0
  );
}

/** Takes away what is at a path. */
export function takeEdit(text: string, document: Document.Parsed, path: Path): IEdit {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) {
    throw new EditError(trans.__('There is no %1', path.join('.')));
  }
  const items = parent.items as (Node | Pair)[];
  const index = isMap(parent)
    ? items.indexOf(pairAt(document, path)!.pair)
    : (path[path.length - 1] as number);
  const start = (one: Node | Pair): number =>
    startOf(isMap(parent) ? ((one as Pair).key as Node) : (one as Node));
  const end = (one: Node | Pair): number =>
    isMap(parent) ? pairEnd(one as Pair) : endOf(one as Node);
  if (parent.flow) {
    return index > 0
      ? { start: end(items[index - 1]), end: end(items[index]), text: '' }
      : { start: start(items[0]), end: start(items[1]), text: '' };
  }
  const begin = isMap(parent) ? start(items[index]) : text.lastIndexOf('-', start(items[index]));
  return wholeLines(text, begin, end(items[index]));
}

/** From the comments right above a place to the end of the line (and the comments within) of another. */
function wholeLines(text: string, begin: number, end: number): IEdit {
  const indent = indentAt(text, begin).length;
  let start = begin - indent;
  for (;;) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    const line = text.slice(above, Math.max(above, start - 1));
    if (start === 0 || !/^\s*#/.test(line) || line.length - line.trimStart().length !== indent) {
      break;
    }
    start = above;
  }
  let stop = text[end - 1] === '\n' ? end : Math.min(text.length, lineEnd(text, end) + 1);
  for (;;) {
    const line = text.slice(stop, lineEnd(text, stop));
    if (!/^\s*#/.test(line) || line.length - line.trimStart().length <= indent) {
      break;
    }
    stop = Math.min(text.length, lineEnd(text, stop) + 1);
  }
  const isApartAbove = start === 0 || /\n[ \t]*\r?\n$/.test(text.slice(0, start));
  const blank = /^(?:[ \t]*\r?\n)+/.exec(text.slice(stop))?.[0].length ?? 0;
  if (isApartAbove && blank > 0) {
    return { start, end: stop + blank, text: '' };
  }
  if (isApartAbove && stop >= text.length) {
    const kept = text.slice(0, start).trimEnd().length;
    return { start: kept, end: text.length, text: text.endsWith('\n') ? '\n' : '' };
  }
  return { start, end: stop, text: '' };
}

/** The text with another key in the place of the one that a path ends with. */
export function keyEdit(document: Document.Parsed, path: Path, key: string): IEdit {
  const found = pairAt(document, path);
  if (!found) {
    throw new EditError(trans.__('There is no %1', path.join('.')));
  }
  const [start, end] = (found.pair.key as Node).range!;
  return { start, end, text: inline(key, found.map.flow === true) };
}
