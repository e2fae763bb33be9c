/** The nodes of a page: how they stand in each other, their attributes, and events that go down and up through them. */

export const HTML = 'http://www.w3.org/1999/xhtml';

type Listener = ((event: PageEvent) => void) | { handleEvent(event: PageEvent): void };

/** An event; what else it carries (`key`, `ctrlKey`, …) is given by whoever makes it. */
export class PageEvent {
  [field: string]: unknown;
  target: PageNode | null = null;
  currentTarget: PageNode | null = null;
  defaultPrevented = false;
  isStopped = false;
  bubbles = true;
  cancelable = true;
  isTrusted = true;
  eventPhase = 2;
  detail = 0;
  readonly timeStamp = Date.now();

  constructor(
    readonly type: string,
    fields: Readonly<Record<string, unknown>> = {}
  ) {
    Object.assign(this, fields);
  }

  preventDefault(): void {
    this.defaultPrevented = true;
  }

  stopPropagation(): void {
    this.isStopped = true;
  }
}

/** What a node asks of the page that it is on. */
interface IOwner extends PageNode {
  readonly body: PageElement;
  activeElement: PageElement;
  createTextNode(text: string): PageNode;
}

export class PageNode {
  parentNode: PageNode | null = null;
  readonly childNodes: PageNode[] = [];
  ownerDocument: IOwner | null = null;
  nodeValue: string | null = null;

  constructor(
    readonly nodeType: number,
    readonly nodeName: string
  ) {}

  get firstChild(): PageNode | null {
    return this.childNodes[0] ?? null;
  }

  get lastChild(): PageNode | null {
    return this.childNodes.at(-1) ?? null;
  }

  get nextSibling(): PageNode | null {
    return this._beside(1);
  }

  get previousSibling(): PageNode | null {
    return this._beside(-1);
  }

  get parentElement(): PageElement | null {
    return this.parentNode instanceof PageElement ? this.parentNode : null;
  }

  get children(): PageElement[] {
    return this.childNodes.filter(node => node instanceof PageElement);
  }

  get isConnected(): boolean {
    return this === (this.ownerDocument as PageNode) || (this.parentNode?.isConnected ?? false);
  }

  get textContent(): string {
    return this.nodeValue ?? this.childNodes.map(node => node.textContent).join('');
  }

  set textContent(text: string) {
    if (this.nodeType === 3) {
      this.nodeValue = text;
      return;
    }
    [...this.childNodes].forEach(node => this.removeChild(node));
    if (text) {
      this.appendChild(this.ownerDocument!.createTextNode(text));
    }
  }

  appendChild<T extends PageNode>(node: T): T {
    return this.insertBefore(node, null);
  }

  insertBefore<T extends PageNode>(node: T, before: PageNode | null): T {
    node.parentNode?.removeChild(node);
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
    return node;
  }

  removeChild<T extends PageNode>(node: T): T {
    this.childNodes.splice(this.childNodes.indexOf(node), 1);
    node.parentNode = null;
    return node;
  }

  contains(node: PageNode | null): boolean {
    return node !== null && (node === this || this.contains(node.parentNode));
  }

  addEventListener(type: string, listener: Listener, options?: unknown): void {
    const isCapture = options === true || Boolean((options as { capture?: boolean })?.capture);
    const present = this._listeners.some(
      one => one.type === type && one.listener === listener && one.isCapture === isCapture
    );
    present || this._listeners.push({ type, listener, isCapture });
  }

  removeEventListener(type: string, listener: Listener): void {
    this._listeners = this._listeners.filter(one => one.type !== type || one.listener !== listener);
  }

  /** Down to the target, and up again; false when somebody prevented what would follow. */
  dispatchEvent(event: PageEvent): boolean {
    const path: PageNode[] = [];
    for (let node: PageNode | null = this; node; node = node.parentNode) {
      path.push(node);
    }
    event.target = this;
    for (const [nodes, isCapture] of [
      [[...path].reverse(), true] as const,
      [path, false] as const
    ]) {
      for (const node of isCapture || event.bubbles ? nodes : [this as PageNode]) {
        for (const { type, listener, isCapture: captures } of [...node._listeners]) {
          if (type === event.type && captures === isCapture && !event.isStopped) {
            event.currentTarget = node;
            typeof listener === 'function' ? listener(event) : listener.handleEvent(event);
          }
        }
      }
    }
    return !event.defaultPrevented;
  }

  private _beside(step: number): PageNode | null {
    const siblings = this.parentNode?.childNodes ?? [];
    return siblings[siblings.indexOf(this) + step] ?? null;
  }

  private _listeners: { type: string; listener: Listener; isCapture: boolean }[] = [];
}

export class PageElement extends PageNode {
  readonly style: Record<string, unknown> & { setProperty(name: string, value: string): void };
  readonly attributes = new Map<string, string>();
  readonly localName: string;
  clientWidth = 0;
  clientHeight = 0;
  scrollTop = 0;
  scrollHeight = 0;

  constructor(
    readonly tagName: string,
    readonly namespaceURI: string
  ) {
    super(1, tagName);
    this.localName = tagName.toLowerCase();
    const style: Record<string, unknown> = {};
    Object.defineProperty(style, 'setProperty', {
      value: (name: string, value: string) => void (style[name] = value)
    });
    this.style = style as PageElement['style'];
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(this._spelled(name)) ?? null;
  }

  setAttribute(name: string, value: unknown): void {
    this.attributes.set(this._spelled(name), String(value));
  }

  setAttributeNS(_: string, name: string, value: unknown): void {
    this.setAttribute(name, value);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(this._spelled(name));
  }

  hasAttribute(name: string): boolean {
    return this.attributes.has(this._spelled(name));
  }

  get id(): string {
    return this.getAttribute('id') ?? '';
  }

  get className(): string {
    return this.getAttribute('class') ?? '';
  }

  set className(names: string) {
    this.setAttribute('class', names);
  }

  get classList(): { add(...names: string[]): void; contains(name: string): boolean } {
    const present = this.className.split(/\s+/).filter(Boolean);
    return {
      add: (...names) => this.setAttribute('class', [...new Set([...present, ...names])].join(' ')),
      contains: name => present.includes(name)
    };
  }

  get dataset(): Record<string, string> {
    const data = [...this.attributes].filter(([name]) => name.startsWith('data-'));
    return Object.fromEntries(data.map(([name, value]) => [name.slice(5), value]));
  }

  get disabled(): boolean {
    return this.hasAttribute('disabled');
  }

  get open(): boolean {
    return this.hasAttribute('open');
  }

  set innerHTML(text: string) {
    this.textContent = '';
    this._raw = text;
  }

  get innerHTML(): string {
    return this._raw || this.childNodes.map(outer).join('');
  }

  get outerHTML(): string {
    return outer(this);
  }

  matches(selector: string): boolean {
    return selector.split(/,\s*/).some(one => matches(this, one.trim().split(/\s+(?![^[]*\])/)));
  }

  closest(selector: string): PageElement | null {
    return this.matches(selector) ? this : (this.parentElement?.closest(selector) ?? null);
  }

  querySelectorAll(selector: string): PageElement[] {
    return this.children.flatMap(child => [
      ...(child.matches(selector) ? [child] : []),
      ...child.querySelectorAll(selector)
    ]);
  }

  querySelector(selector: string): PageElement | null {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  getBoundingClientRect(): { left: number; top: number; width: number; height: number } {
    return { left: 0, top: 0, width: this.clientWidth, height: this.clientHeight };
  }

  scrollIntoView(): void {
    // there is no layout
  }

  focus(): void {
    const page = this.ownerDocument!;
    const before = page.activeElement;
    if (before !== this) {
      page.activeElement = this;
      before.dispatchEvent(new PageEvent('focusout', { relatedTarget: this }));
      this.dispatchEvent(new PageEvent('focusin', { relatedTarget: before }));
    }
  }

  blur(): void {
    this.ownerDocument!.body.focus();
  }

  /** In HTML, large letters of a name are small ones. */
  private _spelled(name: string): string {
    return this.namespaceURI === HTML ? name.toLowerCase() : name;
  }

  private _raw = '';
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);

function outer(node: PageNode): string {
  if (!(node instanceof PageElement)) {
    return node.nodeType === 3 ? escaped(node.textContent) : '';
  }
  const attributes = [...node.attributes].map(([name, value]) => ` ${name}="${escaped(value)}"`);
  return `<${node.localName}${attributes.join('')}>${node.innerHTML}</${node.localName}>`;
}

/** Whether an element is meant by `tag.class[name="value"]`, the last of these, inside of those before it. */
function matches(element: PageElement, parts: readonly string[]): boolean {
  const [own, ...above] = [...parts].reverse();
  const pieces = own.match(/\[[^\]]*\]|[.#]?[\w-]+/g) ?? [];
  const isMeant = pieces.every(piece => {
    if (piece[0] === '.') {
      return element.className.split(/\s+/).includes(piece.slice(1));
    }
    if (piece[0] === '#') {
      return element.id === piece.slice(1);
    }
    if (piece[0] === '[') {
      const [, name, value] = /^\[([\w-]+)(?:="?([^"]*)"?)?\]$/.exec(piece)!;
      return value === undefined
        ? element.hasAttribute(name)
        : element.getAttribute(name) === value;
    }
    return element.localName === piece.toLowerCase();
  });
  if (!isMeant || !above.length) {
    return isMeant;
  }
  for (let node = element.parentElement; node; node = node.parentElement) {
    if (matches(node, [...above].reverse())) {
      return true;
    }
  }
  return false;
}
