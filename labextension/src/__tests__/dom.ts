/**
 * As much of a page as React and our components ask for, so that `node --test` can click, type and press keys: elements,
 * attributes, events that bubble, focus, forms. There is no layout; what depends on it is tested in `tests/ui`.
 *
 * Import it before anything that imports `react-dom`: React looks for a page when it is loaded.
 */

import { HTML, PageElement, PageEvent, PageNode } from './nodes';

/** What React follows of a field: its value is apart from the attribute that it began with. */
class PageInput extends PageElement {
  get value(): string {
    return this._value ?? this.defaultValue;
  }

  set value(text: string) {
    this._value = String(text);
  }

  get defaultValue(): string {
    return this.localName === 'textarea' ? this.textContent : (this.getAttribute('value') ?? '');
  }

  set defaultValue(text: string) {
    this.localName === 'textarea' ? (this.textContent = text) : this.setAttribute('value', text);
  }

  get checked(): boolean {
    return this._isChecked ?? this.hasAttribute('checked');
  }

  set checked(isChecked: boolean) {
    this._isChecked = isChecked;
  }

  get type(): string {
    return this.getAttribute('type') ?? 'text';
  }

  defaultChecked = false;
  private _value: string | null = null;
  private _isChecked: boolean | null = null;
}

class PageOption extends PageElement {
  selected = false;
  defaultSelected = false;

  get value(): string {
    return this.getAttribute('value') ?? this.textContent;
  }
}

class PageSelect extends PageElement {
  multiple = false;

  get options(): PageOption[] {
    return this.querySelectorAll('option') as PageOption[];
  }

  get value(): string {
    return (this.options.find(one => one.selected) ?? this.options[0])?.value ?? '';
  }

  set value(text: string) {
    this.options.forEach(one => (one.selected = one.value === text));
  }
}

/** As text it is its address. */
class PageLink extends PageElement {
  get href(): string {
    const url = this.getAttribute('href');
    return url === null ? '' : String(new URL(url, 'http://host/'));
  }

  set href(url: string) {
    this.setAttribute('href', url);
  }

  toString(): string {
    return this.href;
  }
}

const KINDS: Readonly<Record<string, typeof PageElement>> = {
  a: PageLink,
  input: PageInput,
  textarea: PageInput,
  option: PageOption,
  select: PageSelect
};

class PageDocument extends PageNode {
  readonly documentElement: PageElement;
  readonly body: PageElement;
  readonly defaultView = globalThis;
  readonly cookie = '';
  readonly oninput = null; // by this React sees that there are events of this kind
  activeElement: PageElement;

  constructor() {
    super(9, '#document');
    this.ownerDocument = this;
    this.documentElement = this.appendChild(this.createElement('html'));
    this.body = this.documentElement.appendChild(this.createElement('body'));
    this.activeElement = this.body;
  }

  createElement(tag: string): PageElement {
    return this._own(new (KINDS[tag] ?? PageElement)(tag.toUpperCase(), HTML));
  }

  createElementNS(namespace: string, tag: string): PageElement {
    return this._own(new PageElement(tag, namespace));
  }

  createTextNode(text: string): PageNode {
    const node = this._own(new PageNode(3, '#text'));
    node.nodeValue = String(text);
    return node;
  }

  createComment(): PageNode {
    return this._own(new PageNode(8, '#comment'));
  }

  getElementById(id: string): PageElement | null {
    return this.documentElement.querySelector(`#${id}`);
  }

  private _own<T extends PageNode>(node: T): T {
    node.ownerDocument = this;
    return node;
  }
}

/** It never tells of a size: there is none. */
class QuietObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const page = new PageDocument();
const ofWindow = new PageNode(0, '#window');
Object.assign(globalThis, {
  document: page,
  window: globalThis,
  self: globalThis,
  Node: PageNode,
  Element: PageElement,
  HTMLElement: PageElement,
  SVGElement: PageElement,
  HTMLInputElement: PageInput,
  HTMLTextAreaElement: PageInput,
  HTMLSelectElement: PageSelect,
  HTMLIFrameElement: class {},
  UIEvent: PageEvent,
  MouseEvent: PageEvent,
  KeyboardEvent: PageEvent,
  DragEvent: PageEvent,
  FocusEvent: PageEvent,
  ResizeObserver: QuietObserver,
  MutationObserver: QuietObserver,
  IntersectionObserver: QuietObserver,
  location: new URL('http://host/lab'),
  getSelection: () => ({ rangeCount: 0 }), // no text is selected
  getComputedStyle: () => ({ getPropertyValue: () => '' }),
  requestAnimationFrame: (done: (at: number) => void) => setTimeout(() => done(Date.now()), 1),
  cancelAnimationFrame: (frame: NodeJS.Timeout) => clearTimeout(frame),
  addEventListener: ofWindow.addEventListener.bind(ofWindow),
  removeEventListener: ofWindow.removeEventListener.bind(ofWindow),
  IS_REACT_ACT_ENVIRONMENT: true
});

export { PageElement, PageEvent, page };
