/**
 * As much of a browser's page as React needs to mount a component and to hear what is done to it: `node --test` has none.
 *
 * Importing this makes `window` and `document`. What a browser does by itself is done here, too: a click on a
 * checkbox ticks it, one on a form's button submits it, what is written into a field is its value.
 */

type Listener = (event: PageEvent) => void;

export class PageEvent {
  target: PageElement | null = null;
  currentTarget: unknown = null;
  isTrusted = true;
  defaultPrevented = false;
  cancelBubble = false;
  readonly timeStamp = 0;
  readonly cancelable = true;

  constructor(
    readonly type: string,
    readonly bubbles = true,
    readonly about: Readonly<Record<string, unknown>> = {}
  ) {
    Object.assign(this, about);
  }

  preventDefault(): void {
    this.defaultPrevented = true;
  }

  stopPropagation(): void {
    this.cancelBubble = true;
  }
}

/** What listens: the key is the type, and `!` where it hears an event on its way down. */
class Hearer {
  private readonly _listeners = new Map<string, Set<Listener>>();

  addEventListener(type: string, listener: Listener, options?: boolean | { capture?: boolean }) {
    const key = keyOf(type, options);
    this._listeners.set(key, (this._listeners.get(key) ?? new Set()).add(listener));
  }

  removeEventListener(type: string, listener: Listener, options?: boolean | { capture?: boolean }) {
    this._listeners.get(keyOf(type, options))?.delete(listener);
  }

  hear(event: PageEvent, isDown: boolean): void {
    event.currentTarget = this;
    this._listeners.get(keyOf(event.type, isDown))?.forEach(listener => listener(event));
  }
}

const keyOf = (type: string, options?: boolean | { capture?: boolean }): string =>
  (typeof options === 'object' ? options.capture : options) ? `${type}!` : type;

export class PageNode extends Hearer {
  parentNode: PageNode | null = null;
  childNodes: PageNode[] = [];
  nodeValue: string | null = null;

  constructor(
    readonly nodeType: number,
    readonly nodeName: string
  ) {
    super();
  }

  get ownerDocument(): PageDocument {
    return page;
  }

  get firstChild(): PageNode | null {
    return this.childNodes[0] ?? null;
  }

  get lastChild(): PageNode | null {
    return this.childNodes[this.childNodes.length - 1] ?? null;
  }

  get nextSibling(): PageNode | null {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }

  get textContent(): string {
    return this.nodeType === 3
      ? (this.nodeValue ?? '')
      : this.childNodes.map(child => child.textContent).join('');
  }

  set textContent(text: string) {
    this.childNodes.forEach(child => (child.parentNode = null));
    this.childNodes = [];
    if (text) {
      this.appendChild(page.createTextNode(text));
    }
  }

  appendChild<T extends PageNode>(child: T): T {
    return this.insertBefore(child, null);
  }

  insertBefore<T extends PageNode>(child: T, before: PageNode | null): T {
    child.parentNode?.removeChild(child);
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, child);
    child.parentNode = this;
    return child;
  }

  removeChild<T extends PageNode>(child: T): T {
    this.childNodes = this.childNodes.filter(one => one !== child);
    child.parentNode = null;
    return child;
  }

  contains(other: PageNode | null): boolean {
    return this.path(other).includes(this);
  }

  /** A node and all around it, from the inside. */
  path(node: PageNode | null): PageNode[] {
    return node ? [node, ...this.path(node.parentNode)] : [];
  }

  /** Hand an event to all that listen on its way down to this and up again; whether nobody objected. */
  dispatchEvent(event: PageEvent): boolean {
    event.target = this as unknown as PageElement;
    const up = this.path(this);
    [...up].reverse().forEach(node => event.cancelBubble || node.hear(event, true));
    (event.bubbles ? up : [this]).forEach(node => event.cancelBubble || node.hear(event, false));
    return !event.defaultPrevented;
  }
}

export class PageElement extends PageNode {
  readonly attributes = new Map<string, string>();
  readonly tagName: string;
  readonly style: Record<string, string> = {};
  readonly clientWidth = 0;

  constructor(
    name: string,
    readonly namespaceURI: string
  ) {
    super(1, name);
    this.tagName = name;
  }

  setAttribute(name: string, value: unknown): void {
    this.attributes.set(this.namespaceURI === HTML ? name.toLowerCase() : name, String(value));
  }

  setAttributeNS(_: string, name: string, value: unknown): void {
    this.setAttribute(name, value);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  get disabled(): boolean {
    return this.hasAttribute('disabled');
  }

  get open(): boolean {
    return this.hasAttribute('open');
  }

  get children(): PageElement[] {
    return this.childNodes.filter((one): one is PageElement => one instanceof PageElement);
  }

  /** This and everything within, in the order of the page. */
  everything(): PageElement[] {
    return [this, ...this.children.flatMap(child => child.everything())];
  }

  focus(): void {
    page.activeElement = this;
  }

  blur(): void {
    page.activeElement = page.body;
  }
}

/** A field: React watches the accessors of its prototype. */
export class PageField extends PageElement {
  private _value = '';
  private _checked = false;
  multiple = false;
  defaultValue = '';
  defaultChecked = false;
  selectionStart = 0;
  selectionEnd = 0;

  get type(): string {
    return this.getAttribute('type') ?? 'text';
  }

  set type(value: string) {
    this.setAttribute('type', value);
  }

  get value(): string {
    return this.tagName === 'select'
      ? (this.options.find(one => one.selected)?.value ?? '')
      : this._value;
  }

  set value(value: string) {
    this._value = String(value);
    this.options.forEach(one => (one.selected = one.value === value));
  }

  get checked(): boolean {
    return this._checked;
  }

  set checked(value: boolean) {
    this._checked = Boolean(value);
  }

  get options(): PageOption[] {
    return this.everything().filter((one): one is PageOption => one instanceof PageOption);
  }
}

class PageOption extends PageElement {
  selected = false;
  defaultSelected = false;

  get value(): string {
    return this.getAttribute('value') ?? this.textContent;
  }
}

class PageDocument extends PageNode {
  readonly documentElement = new PageElement('html', HTML);
  readonly body = new PageElement('body', HTML);
  readonly oninput = null;
  readonly hidden = false;
  activeElement: PageElement = this.body;
  defaultView: unknown = null;

  constructor() {
    super(9, '#document');
    this.childNodes = [this.documentElement];
    this.documentElement.parentNode = this;
    this.documentElement.appendChild(this.body);
  }

  createElement(name: string): PageElement {
    return this.createElementNS(HTML, name);
  }

  createElementNS(namespace: string, name: string): PageElement {
    const kind = /^(input|select|textarea)$/.test(name)
      ? PageField
      : name === 'option'
        ? PageOption
        : PageElement;
    return new kind(name, namespace);
  }

  createTextNode(text: string): PageNode {
    const node = new PageNode(3, '#text');
    node.nodeValue = text;
    return node;
  }

  getElementById(id: string): PageElement | null {
    return this.body.everything().find(one => one.getAttribute('id') === id) ?? null;
  }
}

const HTML = 'http://www.w3.org/1999/xhtml';
export const page = new PageDocument();

const view = Object.assign(new Hearer(), {
  document: page,
  top: null,
  HTMLIFrameElement: class {},
  getSelection: () => null
});
page.defaultView = view;
Object.assign(globalThis, {
  window: view,
  document: page,
  IS_REACT_ACT_ENVIRONMENT: true,
  requestAnimationFrame: (draw: () => void) => setImmediate(draw),
  cancelAnimationFrame: clearImmediate,
  ResizeObserver: class {
    observe(): void {}
    disconnect(): void {}
  }
});

/** Give a field a value as who types does: past React, which then finds that it has changed. */
export function write(field: PageField, name: 'value' | 'checked', value: unknown): void {
  Object.getOwnPropertyDescriptor(PageField.prototype, name)!.set!.call(field, value);
}
