/** What people do on a page, and what a browser does of itself then. Import it before React. */
import { page, type PageElement, PageEvent } from '../../__tests__/dom';
import { write } from '../../__tests__/deeds';

export { page };
export type Element = PageElement;
export type Input = PageElement & { value: string; checked: boolean };

/** Something happens to an element; what does not bubble is heard there alone. */
export function fire(target: Element, type: string, more: object = {}, bubbles = true): boolean {
  return target.dispatchEvent(new PageEvent(type, { bubbles, ...more }));
}

/** A click. What is disabled takes none. */
export function click(target: Element): void {
  if (target.disabled) {
    return;
  }
  const isButton = target.tagName === 'BUTTON';
  const kind = target.getAttribute('type');
  if (target.tagName === 'INPUT' && kind === 'checkbox') {
    write(target, 'checked', !(target as Input).checked);
  }
  if (isButton || target.tagName === 'INPUT') {
    target.focus();
  }
  const goesOn = fire(target, 'click', { button: 0 });
  if (goesOn && isButton && kind !== 'button') {
    const form = target.closest('form');
    form && fire(form, 'submit');
  } else if (goesOn && target.tagName === 'SUMMARY') {
    const details = target.parentElement!;
    details.hasAttribute('open')
      ? details.removeAttribute('open')
      : details.setAttribute('open', '');
    fire(details, 'toggle', {}, false);
  }
}

/** Type a text in a field, or choose it from a list. */
export function type(target: Element, text: string): void {
  target.focus();
  write(target, 'value', text);
  fire(target, target.tagName === 'SELECT' ? 'change' : 'input');
}

/** Press a key. */
export function press(target: Element, key: string): void {
  fire(target, 'keydown', { key });
}

/** Make an element as wide as this; whoever watches it is told. */
export function widen(target: Element, width: number): void {
  target.clientWidth = width;
  Observer.all.filter(one => one.watched === target).forEach(one => one.tell());
}

class Observer {
  static all: Observer[] = [];
  watched: Element | null = null;

  constructor(readonly tell: () => void) {
    Observer.all.push(this);
  }

  observe(target: Element): void {
    this.watched = target;
  }

  disconnect(): void {
    this.watched = null;
  }
}

Object.assign(globalThis, { ResizeObserver: Observer });
