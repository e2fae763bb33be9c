/** A component on a page of its own, and what people do there: look, click, type, press keys. */
import { PageElement, PageEvent, page as document } from './dom';
import { act, named, write } from './deeds';
import type * as React from 'react';
import { createRoot } from 'react-dom/client';

export { named };

/** Let everything that waits for an answer go on. */
export const settle = (milliseconds = 0): Promise<void> =>
  act(() => new Promise(resolve => setTimeout(resolve, milliseconds)));

/** Let time go on until something is so; whoever waits for what never comes hears so after two seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 2000;
  while (!isSo()) {
    if (Date.now() > end) {
      throw new Error(`this did not become so: ${isSo}`);
    }
    await settle(1);
  }
}

/** Do something that React must hear of, and wait until all is drawn. */
export const during = (deed: () => unknown): Promise<void> => act(async () => void (await deed()));

/** What React has to say against what was drawn: it is an error here. */
const complaints: string[] = [];
console.error = (...said: unknown[]) => void complaints.push(said.map(String).join(' '));

export class Page {
  /** Whoever expects some takes them out. */
  readonly complaints = complaints;
  readonly place = document.body.appendChild(document.createElement('div'));
  private readonly _root = createRoot(this.place as unknown as Element);

  /** Draw it, or draw it again. */
  show(element: React.ReactElement): Promise<void> {
    return during(() => this._root.render(element));
  }

  async close(): Promise<void> {
    await during(() => this._root.unmount());
    document.body.removeChild(this.place);
    if (complaints.length) {
      throw new Error(complaints.splice(0).join('\n'));
    }
  }

  get html(): string {
    return this.place.innerHTML;
  }

  get text(): string {
    return this.place.textContent;
  }

  all(selector: string): PageElement[] {
    return this.place.querySelectorAll(selector);
  }

  /** The one that is meant; it is an error when there is none, or more. */
  one(selector: string): PageElement {
    const found = this.all(selector);
    if (found.length !== 1) {
      throw new Error(`${found.length} of ${selector} in ${this.html}`);
    }
    return found[0];
  }

  /** The button with this name, as a screen reader tells it. */
  button(name: string): PageElement {
    const buttons = this.all('button, [role="button"], [role="tab"], summary');
    const found = buttons.filter(button => named(button) === name);
    if (found.length !== 1) {
      throw new Error(`${found.length} buttons ${name}, of: ${buttons.map(named).join(' | ')}`);
    }
    return found[0];
  }

  has(name: string): boolean {
    return this.all('button, [role="button"], [role="tab"]').some(one => named(one) === name);
  }

  /** The field with this label, or with this name as a screen reader tells it. */
  field(label: string): PageElement {
    const fields = this.all('input, textarea, select');
    const found = fields.filter(field => {
      const said = field.id && this.all(`label[for="${field.id}"]`)[0];
      return (
        [said, field.closest('label')].some(one => one && one.textContent.startsWith(label)) ||
        field.getAttribute('aria-label') === label
      );
    });
    if (found.length !== 1) {
      throw new Error(`${found.length} fields ${label} in ${this.html}`);
    }
    return found[0];
  }

  async click(what: string | PageElement): Promise<void> {
    const element = typeof what === 'string' ? this.button(what) : what;
    if (element.disabled) {
      return;
    }
    await during(() => {
      if (element.getAttribute('type') === 'checkbox') {
        write(element, 'checked', !(element as PageElement & { checked: boolean }).checked);
      }
      const goesOn = element.dispatchEvent(new PageEvent('click', { button: 0 }));
      const form = element.closest('form');
      if (goesOn && form && element.getAttribute('type') === 'submit') {
        form.dispatchEvent(new PageEvent('submit'));
      }
    });
  }

  /** Write into a field, or choose in a list. */
  async type(what: string | PageElement, text: string): Promise<void> {
    const element = typeof what === 'string' ? this.field(what) : what;
    const kind = element.localName === 'select' ? 'change' : 'input';
    await during(() => {
      write(element, 'value', text);
      element.dispatchEvent(new PageEvent(kind));
    });
  }

  /** Press a key; true when the page's own answer to it was prevented. */
  async press(element: PageElement, key: string, more: object = {}): Promise<boolean> {
    let isPrevented = false;
    await during(() => {
      isPrevented = !element.dispatchEvent(new PageEvent('keydown', { key, ...more }));
    });
    return isPrevented;
  }
}

/** The text that stands in a field. */
export const value = (element: PageElement): string =>
  (element as PageElement & { value: string }).value;
