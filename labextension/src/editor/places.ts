/** Where things stand in the text of a YAML document. */
import { Document, isCollection, isMap, isScalar, Node, Pair, YAMLMap } from 'yaml';

import { trans } from '../language';
import { Path } from './values';

/** Why a change cannot be made; for people. */
export class EditError extends Error {}

/** A piece of text to put in the place of another. */
export interface IEdit {
  start: number;
  end: number;
  text: string;
}

/** Where a node begins. */
export function startOf(node: Node): number {
  return node.range![0];
}

/** Where a node ends, without the comments and blank lines that the parser counts to it. */
export function endOf(node: Node): number {
  if (isCollection(node) && !node.flow && node.items.length > 0) {
    const last = node.items[node.items.length - 1];
    return isMap(node) ? pairEnd(last as Pair) : endOf(last as Node);
  }
  return node.range![1];
}

/** Where a key with its value ends. */
export function pairEnd(pair: Pair): number {
  const key = (pair.key as Node).range![1];
  return pair.value ? Math.max(key, endOf(pair.value as Node)) : key;
}

/** The key with its value at a path, and the mapping that has it. */
export function pairAt(document: Document.Parsed, path: Path): { pair: Pair; map: YAMLMap } | null {
  const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path[path.length - 1];
  if (!isMap(map)) {
    return null;
  }
  const pair = map.items.find(one => isScalar(one.key) && String(one.key.value) === String(key));
  return pair ? { pair: pair as Pair, map: map as YAMLMap } : null;
}

/** Whether the value at a path stands within brackets or braces. */
export function isInFlow(document: Document.Parsed, path: Path): boolean {
  return path.some((_, i) => {
    const outer = i === 0 ? document.contents : document.getIn(path.slice(0, i), true);
    return isCollection(outer) && outer.flow === true;
  });
}

/** The white space before a place in its line; nothing else may stand there. */
export function indentAt(text: string, position: number): string {
  const indent = text.slice(text.lastIndexOf('\n', position - 1) + 1, position);
  if (indent.trim() !== '') {
    throw new EditError(trans.__('This part is written in a way that only the text can change'));
  }
  return indent;
}

/** Where the line of a place ends, before its line break. */
export function lineEnd(text: string, position: number): number {
  const end = text.indexOf('\n', position);
  return end === -1 ? text.length : end;
}

/** A new line below the one in which `position` stands (or ends: a block of text ends on its own). */
export function lineAfter(text: string, position: number, line: string): IEdit {
  let place = position;
  while (place > 0 && /\s/.test(text[place - 1])) {
    place--;
  }
  place = lineEnd(text, place);
  const break_ = text.includes('\r\n') ? '\r\n' : '\n';
  place = text[place - 1] === '\r' ? place - 1 : place;
  return { start: place, end: place, text: break_ + line.replace(/\n/g, break_) };
}

/** The lines (from 1) that the pair at a path takes. */
export function linesOf(
  text: string,
  document: Document.Parsed,
  path: Path
): [number, number] | null {
  const found = pairAt(document, path);
  if (!found) {
    return null;
  }
  const end = Math.max(startOf(found.pair.key as Node), pairEnd(found.pair) - 1);
  return [lineAt(text, startOf(found.pair.key as Node)), lineAt(text, end)];
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < position; i = text.indexOf('\n', i + 1)) {
    line++;
  }
  return line;
}
