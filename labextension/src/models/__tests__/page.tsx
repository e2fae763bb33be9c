/**
 * A part of the panel on a page, with the panel's own API and model before a server that the test plays: what is asked of
 * the server is told as `METHOD path body`, what is shown is found as people find it, by its words.
 */
import { page as document, PageElement, PageEvent } from '../../__tests__/dom';
import { act, write } from '../../__tests__/deeds';

import assert from 'node:assert/strict';
import { afterEach, mock } from 'node:test';

import { Signal } from '@lumino/signaling';

import { trans } from '../../__tests__/samples';
import { Api } from '../../api';
import { CHANGE_SCHEMA, type IEvent, Model } from '../../model';
import { Preferences } from '../../preferences';
import type { IContext } from '../../tokens';
import { type Answers, dialogs, Held, Refusal } from './lab';

import type * as React from 'react';
import { createRoot } from 'react-dom/client';

/** A field, with what is written in it, and what there is to choose from. */
type Field = PageElement & { type: string; value: string; checked: boolean; options: Field[] };

export { type Answers, dialogs, Held, refuse, Refusal } from './lab';

/** The time on every page. */
export const NOW = Date.parse('2026-01-02T12:00:00Z');

const pages: Page[] = [];
const closeAll = async (): Promise<void> => {
  for (const page of [...pages]) {
    await page.close();
  }
};
afterEach(closeAll);

export class Page {
  /** What was asked of the server, oldest first. */
  private readonly _asked: string[] = [];
  private readonly _events = new Signal<unknown, IEvent>({});
  private readonly _container = document.body.appendChild(document.createElement('div'));
  private readonly _root = createRoot(this._container as unknown as Element);
  private readonly _model: Model;
  private readonly _consoleError = console.error;
  private _seq = 1;
  readonly context: IContext;
  private readonly _preferences = new Preferences();
  /** What was opened, said and reported. */
  readonly opened: [string, Record<string, string>][] = [];
  readonly said: string[] = [];
  readonly reported: string[] = [];

  constructor(readonly answers: Answers) {
    // The clock stands still, unless `pass` moves it.
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: NOW });
    dialogs.shown = [];
    dialogs.answers = [];
    // What React warns of (keys, fields that nobody controls, elements in the wrong place) is a fault.
    console.error = (...args: unknown[]) => assert.fail(args.map(String).join(' '));
    const api = new Api('http://lab/', (url, init) => this._answer(url, init));
    this._model = new Model(
      async () => ({
        version: '1',
        server_id: 's',
        seq: this._seq,
        user_name: 'ada',
        root: '',
        workspace: '.',
        is_fresh: false
      }),
      this._events,
      'never'
    );
    this.context = {
      api,
      trans,
      model: this._model,
      preferences: this._preferences,
      open: (kind: string, args: Record<string, string>) => this.opened.push([kind, args]),
      openFile: (path: string) => this.opened.push(['file', { path }]),
      report: (error: Error & { hint?: string }) =>
        this.reported.push([error.message, error.hint].filter(Boolean).join('; ')),
      say: (text: string) => this.said.push(text)
    } as unknown as IContext;
  }

  /** A page with this on it, when all answers are there; one that was open is closed. */
  static async of(
    answers: Answers,
    create: (context: IContext) => React.ReactElement
  ): Promise<Page> {
    await closeAll();
    const page = new Page(answers);
    pages.push(page);
    const isReady = page._model.refresh();
    for (let i = 0; i < 4; i++) {
      await new Promise(resolve => setImmediate(resolve));
      mock.timers.tick(0);
    }
    await isReady;
    await act(async () => page._root.render(create(page.context)));
    await page.settle();
    return page;
  }

  async close(): Promise<void> {
    pages.splice(pages.indexOf(this), 1);
    await act(async () => this._root.unmount());
    this._model.dispose();
    this._container.parentNode?.removeChild(this._container);
    console.error = this._consoleError;
    mock.timers.reset();
  }

  /** The user's settings say this from now on. */
  async prefer(settings: Readonly<Record<string, unknown>>): Promise<void> {
    await this._act(() => this._preferences.read(settings));
  }

  /** Let time pass. */
  async pass(milliseconds: number): Promise<void> {
    await this._act(() => mock.timers.tick(milliseconds));
  }

  /** Wait until everything that was asked is answered and drawn. */
  async settle(): Promise<void> {
    await act(async () => {
      for (let i = 0; i < 8; i++) {
        await new Promise(resolve => setImmediate(resolve));
      }
    });
  }

  /** The server rings: something of these kinds has changed. `skip` numbers are lost on the way. */
  async ring(kinds: readonly string[], skip = 0): Promise<void> {
    this._seq += 1 + skip;
    await act(async () =>
      this._events.emit({
        schema_id: CHANGE_SCHEMA,
        server_id: 's',
        seq: this._seq,
        kinds: [...kinds],
        run_ids: []
      })
    );
    await this.settle();
  }

  /** What was asked since the last call of this, and forget it. */
  requests(): string[] {
    return this._asked.splice(0);
  }

  /** As `requests`, without what only reads. */
  deeds(): string[] {
    return this.requests().filter(one => !one.startsWith('GET '));
  }

  /** All words on the page. */
  get text(): string {
    return words(this._container);
  }

  /** The elements that a selector names; the empty one names all. */
  all(selector: string): PageElement[] {
    return this._container.querySelectorAll(selector);
  }

  one(selector: string): PageElement {
    const found = this.all(selector);
    assert.equal(found.length, 1, `${found.length} of ${selector} in: ${this.text}`);
    return found[0];
  }

  /** The texts of what a selector names. */
  texts(selector: string): string[] {
    return this.all(selector).map(words);
  }

  /** The names of all buttons, in their order. */
  get buttons(): string[] {
    return this.all('button').map(nameOf);
  }

  button(name: string | RegExp): PageElement {
    return this._named('button', this.all('button'), name);
  }

  /** The field that a label, or its own name, names. */
  field(name: string | RegExp): Field {
    return this._named('field', this.all(FIELDS), name) as Field;
  }

  has(name: string, selector = ''): boolean {
    return this.all(selector).some(one => nameOf(one) === name);
  }

  /** Click, as a mouse does: on what is disabled nothing happens. */
  async click(what: PageElement | string | RegExp): Promise<void> {
    const element = what instanceof PageElement ? what : this.button(what);
    assert.ok(!element.disabled, `${nameOf(element)} cannot be clicked`);
    await this._act(() => {
      if (element.getAttribute('type') === 'checkbox') {
        write(element, 'checked', !(element as Field).checked);
      }
      const isDone = element.dispatchEvent(new PageEvent('click'));
      const form = element.closest('form');
      if (isDone && form && element.localName === 'button' && !isQuiet(element)) {
        form.dispatchEvent(new PageEvent('submit'));
      }
    });
  }

  /** Write into a field, choose from a list. */
  async fill(field: PageElement | string | RegExp, text: string): Promise<void> {
    const one = field instanceof PageElement ? field : this.field(field);
    await this._act(() => {
      write(one, 'value', text);
      one.dispatchEvent(new PageEvent(one.localName === 'select' ? 'change' : 'input'));
    });
  }

  async press(element: PageElement, key: string): Promise<void> {
    await this._act(() => element.dispatchEvent(new PageEvent('keydown', { key })));
  }

  /** Go elsewhere from an element. */
  async leave(element: PageElement): Promise<void> {
    await this._act(() => element.dispatchEvent(new PageEvent('focusout')));
  }

  /** Open a part that folds. */
  async unfold(title: string): Promise<void> {
    const part = this.all('details').find(one => words(one.children[0]).startsWith(title));
    assert.ok(part, `no part ${title} in: ${this.text}`);
    await this._act(() => {
      part.setAttribute('open', '');
      part.dispatchEvent(new PageEvent('toggle', { bubbles: false }));
    });
  }

  private _named(kind: string, all: PageElement[], name: string | RegExp): PageElement {
    const found = all.filter(one =>
      typeof name === 'string' ? nameOf(one) === name : name.test(nameOf(one))
    );
    const names = all.map(nameOf).join(' | ');
    assert.equal(found.length, 1, `${found.length} ${kind}s called ${name} of: ${names}`);
    return found[0];
  }

  private async _act(deed: () => unknown): Promise<void> {
    await act(async () => void deed());
    await this.settle();
  }

  private async _answer(url: string, init: RequestInit): Promise<Response> {
    const place = decodeURIComponent(url.replace('http://lab/mlops/api/', ''));
    const asked = `${init.method} ${place}`;
    this._asked.push(init.body && init.body !== '{}' ? `${asked} ${init.body}` : asked);
    const key = asked in this.answers ? asked : asked.split('?')[0];
    assert.ok(key in this.answers, `nobody answers ${asked}`);
    let answer = this.answers[key];
    if (answer instanceof Held) {
      await answer.released;
      answer = answer.answer;
    }
    if (answer === null) {
      throw new TypeError('no connection');
    }
    return answer instanceof Refusal
      ? new Response(JSON.stringify(answer.body), { status: answer.status })
      : new Response(JSON.stringify(answer));
  }
}

/** The words in an element, with single spaces; what stands in elements of their own is apart. */
export function words(element: PageElement): string {
  const parts = (node: PageElement['childNodes'][number]): string => {
    const within =
      node.nodeType === 3 ? (node.nodeValue ?? '') : node.childNodes.map(parts).join('');
    return node.nodeType === 3 || /^(code|strong)$/i.test(node.nodeName) ? within : ` ${within} `;
  };
  return parts(element).replace(/\s+/g, ' ').trim();
}

/** What an element is called for who cannot see it. */
export function nameOf(element: PageElement): string {
  const label =
    document.body.querySelectorAll('label').find(one => isFor(one, element)) ??
    element.closest('label');
  const own = element.getAttribute('aria-label');
  if (own !== null) {
    return own;
  }
  return words(label && element.matches(FIELDS) ? label : element);
}

const FIELDS = 'input, select, textarea';

const isFor = (label: PageElement, element: PageElement): boolean =>
  label.getAttribute('for') === element.getAttribute('id');

/** Whether a button does nothing to its form. */
const isQuiet = (button: PageElement): boolean => button.getAttribute('type') === 'button';
