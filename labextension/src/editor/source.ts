/**
 * YAML text, changed where it must change and nowhere else.
 *
 * A value is put, taken or appended by cutting and pasting text at the places that the parser found: comments,
 * blank lines, quotes and the order of keys stay as somebody wrote them. Every change is proved before it is
 * handed out: the new text is read again and must say exactly what the old one said, with that one change.
 * What cannot be done in place (a value that an anchor shares with others) is refused with the reason.
 */
import { Document, isCollection, isMap, isSeq, parseDocument } from 'yaml';

import { trans } from '../language';
import { appendEdit, putEdit, takeEdit } from './cutting';
import { EditError, IEdit } from './places';
import { READING } from './scalars';
import { at, changed, isSame, Path, Plain, without } from './values';

/** The document; `EditError` names the line when it cannot be read. */
export function read(text: string): Document.Parsed {
  const document = parseDocument(text, READING) as Document.Parsed;
  const [error] = document.errors;
  if (error) {
    const line = error.linePos?.[0].line ?? 1;
    throw new EditError(
      trans.__('The text is not YAML in line %1: %2', line, error.message.split('\n')[0])
    );
  }
  if (document.contents !== null && !isMap(document.contents)) {
    throw new EditError(trans.__('The text is not a mapping of keys to values'));
  }
  if (/\*|<</.test(text)) {
    resolve(document);
  }
  return document;
}

/** Aliases without an anchor, of themselves or far too many are told only when the values are asked for. */
function resolve(document: Document.Parsed): void {
  try {
    JSON.stringify(document.toJS());
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new EditError(trans.__('The text is not YAML: %1', reason));
  }
}

/** What the text says, as plain values. */
export function plain(text: string): Plain {
  return (read(text).toJS() as Plain | null) ?? {};
}

/** The text with the edits made; they do not overlap. */
export function splice(text: string, edits: readonly IEdit[]): string {
  const ordered = [...edits].sort((a, b) => b.start - a.start);
  return ordered.reduce(
    (made, edit) => made.slice(0, edit.start) + edit.text + made.slice(edit.end),
    text
  );
}

/** The text with the edits, which must change what it says to `wanted`. */
export function proved(text: string, edits: readonly IEdit[], wanted: unknown): string {
  const made = splice(text, edits);
  let said: unknown;
  try {
    said = plain(made);
  } catch {
    said = undefined;
  }
  if (!isSame(said, wanted)) {
    throw new EditError(
      trans.__('This part is shared by an anchor or written in a way that only the text can change')
    );
  }
  return made;
}

/** The text with the value at a path; mappings that lead there are made. */
export function put(text: string, path: Path, value: unknown): string {
  const document = read(text);
  const wanted = changed((document.toJS() as Plain | null) ?? {}, path, value);
  return proved(text, [putEdit(text, document, path, value)], wanted);
}

/** The text without the value at a path; mappings that are left empty by it go too, those above `depth` keys stay. */
export function take(text: string, path: Path, depth = 2): string {
  const document = read(text);
  const before = (document.toJS() as Plain | null) ?? {};
  if (document.getIn(path, true) === undefined) {
    if (at(before, path) === undefined) {
      return text;
    }
    throw new EditError(trans.__('%1 comes from an anchor: change it in the text', path.join('.')));
  }
  let whole = path;
  let parent = document.getIn(whole.slice(0, -1), true);
  while (whole.length > depth && isCollection(parent) && parent.items.length === 1) {
    whole = whole.slice(0, -1);
    parent = document.getIn(whole.slice(0, -1), true);
  }
  const wanted = without(before, whole);
  if (whole.length > 1 && isCollection(parent) && parent.items.length === 1) {
    const edit = putEdit(text, document, whole.slice(0, -1), isSeq(parent) ? [] : {});
    return proved(text, [edit], wanted);
  }
  return proved(text, [takeEdit(text, document, whole)], wanted);
}

/** The text with one more item at the end of the list at a path. */
export function append(text: string, path: Path, item: unknown): string {
  const document = read(text);
  const list = document.getIn(path, true);
  const before = (document.toJS() as Plain | null) ?? {};
  const items = at(before, path);
  if (!isSeq(list) || list.items.length === 0 || !Array.isArray(items)) {
    return put(text, path, [item]);
  }
  const wanted = changed(before, path, [...(items as unknown[]), item]);
  return proved(text, [appendEdit(text, document, path, list, item)], wanted);
}
