/** Shows components, finds what people see by the words that they see, and does what people do. */
import { Happening, page, type Tag } from './dom';
import { act, write } from '../../__tests__/deeds';

import assert from 'node:assert/strict';
import { after } from 'node:test';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

/** What React has to say against what was drawn is an error. */
const complaints: string[] = [];
console.error = (...said: unknown[]) => void complaints.push(said.map(String).join(' '));
after(() => assert.deepEqual(complaints, []));

export interface IShown {
  root: Tag;
  /** Shows something else in the same place. */
  again: (element: React.ReactElement) => void;
  close: () => void;
}

export function show(element: React.ReactElement): IShown {
  const root = page.body.appendChild(page.createElement('div'));
  const made = createRoot(root as unknown as HTMLElement);
  const again = (next: React.ReactElement): void => void act(() => made.render(next));
  again(element);
  return {
    root,
    again,
    close: () => {
      void act(() => made.unmount());
      page.body.removeChild(root);
    }
  };
}

/** What a hook gives, now and after other arguments. */
export function follow<A, R>(
  hook: (given: A) => R,
  given: A
): { now: () => R; again: (given: A) => void; close: () => void } {
  let last: R;
  const Probe = (props: { given: A }): null => {
    last = hook(props.given);
    return null;
  };
  const shown = show(<Probe given={given} />);
  return {
    now: () => last,
    again: next => shown.again(<Probe given={next} />),
    close: shown.close
  };
}

/** Lets promises that are kept already be seen, and what comes of them be drawn. */
export async function settle(work: () => unknown = () => undefined): Promise<void> {
  await act(async () => {
    work();
    for (let turn = 0; turn < 10; turn++) {
      await Promise.resolve();
    }
  });
}

export function happen(tag: Tag, type: string, fields: object = {}): Happening {
  const event = new Happening(type, { ...fields });
  void act(() => void tag.dispatchEvent(event));
  return event;
}

/** A click, and what a browser makes of it. */
export function click(tag: Tag): void {
  happen(tag, 'pointerdown', { button: 0, pointerId: 1, clientX: 0, clientY: 0 });
  const event = happen(tag, 'click');
  const form = tag.closest('form');
  if (
    form &&
    tag.localName === 'button' &&
    tag.getAttribute('type') === 'submit' &&
    !tag.disabled &&
    !event.defaultPrevented
  ) {
    happen(form, 'submit');
  }
}

export const key = (tag: Tag, name: string, fields: object = {}): Happening =>
  happen(tag, 'keydown', { key: name, ...fields });

/** Puts a text into a field, without leaving it. */
export function type(tag: Tag, text: string): void {
  write(tag, 'value', text);
  happen(tag, tag.localName === 'select' ? 'change' : 'input');
}

export const leave = (tag: Tag): void => void happen(tag, 'focusout');

/** Types a text and leaves the field. */
export function fill(tag: Tag, text: string): void {
  type(tag, text);
  leave(tag);
}

export const valueOf = (tag: Tag): string => (tag as Tag & { value: string }).value;

export const all = (root: Tag, selector: string): Tag[] => root.querySelectorAll(selector);

export function one(root: Tag, selector: string): Tag {
  const [found, ...more] = all(root, selector);
  assert.ok(found && more.length === 0, `${found ? more.length + 1 : 'no'} ${selector}`);
  return found;
}

/** How a thing is called: by its label, or by what is written on it. */
export const nameOf = (tag: Tag): string => tag.getAttribute('aria-label') ?? tag.textContent;

export function button(root: Tag, name: string): Tag {
  const names = all(root, 'button, g').filter(
    one => one.localName === 'button' || one.getAttribute('role') === 'button'
  );
  const found = names.find(one => nameOf(one) === name);
  assert.ok(found, `no button '${name}' among ${names.map(nameOf).join(' | ')}`);
  return found;
}

export const hasButton = (root: Tag, name: string): boolean =>
  all(root, 'button').some(one => nameOf(one) === name);

/** The field with a label. */
export function field(root: Tag, label: string): Tag {
  const named = all(root, 'label').find(one => one.textContent === label);
  const found = all(root, 'input, textarea, select').find(one =>
    named ? one.id === named.getAttribute('for') : one.getAttribute('aria-label') === label
  );
  assert.ok(found, `no field '${label}'`);
  return found;
}

/** The whole of a field: label, input, what is said of it. */
export const around = (tag: Tag): Tag => tag.closest('.jp-mlops-Field')!;

export const labels = (root: Tag): string[] => all(root, 'label').map(one => one.textContent);
export const options = (select: Tag): string[] => all(select, 'option').map(one => one.textContent);

/** What a field offers while somebody types. */
export function offered(root: Tag, input: Tag): string[] {
  const lists = all(root, 'datalist').filter(({ id }) => id === input.getAttribute('list'));
  return lists.flatMap(list => all(list, 'option').map(valueOf));
}
