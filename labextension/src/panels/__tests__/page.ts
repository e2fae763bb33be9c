/** What the specs of the panel stand on: a page, a server that answers what a test says, and a context between them. */
import {
  click as clickOn,
  type Element,
  type Input,
  page,
  press as pressIn,
  type as typeIn
} from './browser';
import { act, named } from '../../__tests__/deeds';
import '../../__tests__/lab';
import { Signal } from '@lumino/signaling';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock } from 'node:test';
import type * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { Api } from '../../api';
import { trans } from '../../language';
import { CHANGE_SCHEMA, type IEvent, Model } from '../../model';
import { Navigation } from '../../navigation';
import { Preferences } from '../../preferences';
import type { IContext } from '../../tokens';

export type { Element };

/** The time in all specs: durations and ages are counted from it. */
export const NOW = Date.parse('2026-01-01T12:00:20Z');
export const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

/** What the server says: a value, or an error with its status; a function is asked with the query and the body. */
type Answer = unknown | ((query: URLSearchParams, body: unknown) => unknown);

/** An answer that says no. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly message: string,
    readonly hint = '',
    readonly problems: readonly unknown[] = []
  ) {}
}

/** No answer at all. */
export const SILENCE = Symbol('silence');

/** A server by what it answers to `GET runs`, `POST runs/r1/cancel`, …; it notes what it was asked. */
export class Server {
  readonly asked: string[] = [];
  readonly sent: { method: string; path: string; body: unknown }[] = [];
  private readonly _answers = new Map<string, Answer>();

  /** From now on this is the answer. */
  says(request: string, answer: Answer): this {
    this._answers.set(request, answer);
    return this;
  }

  /** How often something was asked for. */
  count(request: string): number {
    return this.asked.filter(one => one.split('?')[0] === request).length;
  }

  /** The queries of one request, in order. */
  queries(request: string): Record<string, string>[] {
    return this.asked
      .filter(one => one.split('?')[0] === request)
      .map(one => Object.fromEntries(new URLSearchParams(one.split('?')[1] ?? '')));
  }

  /** The last change that was asked for, as `POST runs/r1/cancel`, and its body. */
  get last(): [string, unknown] | null {
    const sent = this.sent[this.sent.length - 1];
    return sent ? [`${sent.method} ${sent.path}`, sent.body] : null;
  }

  readonly send = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, search, searchParams } = new URL(url, 'https://hub.example/');
    const path = pathname
      .replace(/^\/mlops\/api\//, '')
      .split('/')
      .map(decodeURIComponent)
      .join('/');
    const method = init.method ?? 'GET';
    const body: unknown = init.body ? JSON.parse(String(init.body)) : undefined;
    this.asked.push(`${method} ${path}${search}`);
    if (method !== 'GET') {
      this.sent.push({ method, path, body });
    }
    const key = `${method} ${path}`;
    assert.ok(this._answers.has(key), `nobody has said what is answered to ${key}`);
    const answer = this._answers.get(key);
    const said = await (typeof answer === 'function' ? answer(searchParams, body) : answer);
    if (said === SILENCE) {
      throw new TypeError('Failed to fetch');
    }
    const isNo = said instanceof Refusal;
    const told = isNo
      ? { code: 'wrong', message: said.message, hint: said.hint, problems: said.problems }
      : said;
    const status = isNo ? said.status : 200;
    const text = told === undefined ? '' : JSON.stringify(told);
    return { ok: !isNo, status, text: async () => text } as Response;
  };
}

/** A promise and the way to keep it: an answer that is long in coming. */
export function later<T>(): { answer: Promise<T>; come: (value: T) => void } {
  let come!: (value: T) => void;
  const answer = new Promise<T>(resolve => (come = resolve));
  return { answer, come };
}

/** What one spec works with. */
export class Bench {
  readonly server = new Server();
  readonly navigation = new Navigation();
  readonly preferences = new Preferences();
  readonly opened: [kind: string, args: object][] = [];
  readonly files: string[][] = [];
  readonly reported: Error[] = [];
  readonly said: string[] = [];
  readonly activated: string[] = [];
  readonly events = new Signal<unknown, IEvent>({});
  readonly status = {
    version: '1',
    server_id: 's',
    seq: 5,
    user_name: 'ada',
    root: 'home',
    workspace: '.',
    is_fresh: false
  };
  readonly model: Model;
  readonly context: IContext;
  private readonly _container = page.body.appendChild(page.createElement('div'));
  private readonly _root: Root;

  constructor() {
    this.server.says('GET status', () => this.status);
    const api = new Api('/', this.server.send);
    this.model = new Model(api.status, this.events, 'never');
    this._root = createRoot(this._container as never);
    this.context = {
      app: { shell: { activateById: (id: string) => void this.activated.push(id) } } as never,
      api,
      model: this.model,
      navigation: this.navigation,
      preferences: this.preferences,
      trans: trans as IContext['trans'],
      open: (kind, args) => void this.opened.push([kind, args]),
      openFile: (...file) => void this.files.push(file as string[]),
      report: error => void this.reported.push(error as Error),
      say: text => void this.said.push(text)
    };
  }

  /** Show something, and wait until what it asks for has come. */
  async show(element: React.ReactElement): Promise<this> {
    await this.do(() => this._root.render(element));
    return this;
  }

  /** Do something, and wait for all that follows from it without time going by. */
  async do(deed: () => unknown = () => undefined): Promise<void> {
    await act(async () => {
      await deed();
      for (let i = 0; i < 8; i++) {
        await new Promise(resolve => setImmediate(resolve));
      }
    });
  }

  /** Let time go by. */
  wait(milliseconds: number): Promise<void> {
    return this.do(() => mock.timers.tick(milliseconds));
  }

  /** Ask how the server is, now. */
  async look(): Promise<void> {
    await this.do(() => void this.model.refresh());
    await this.wait(0);
  }

  /** The server rings: something of these kinds has changed. */
  ring(kinds: readonly string[], runIds: readonly string[] = [], skipped = 0): Promise<void> {
    this.status.seq += 1 + skipped;
    const { seq } = this.status;
    return this.do(() =>
      this.events.emit({
        schema_id: CHANGE_SCHEMA,
        server_id: 's',
        seq,
        kinds: [...kinds],
        run_ids: [...runIds]
      })
    );
  }

  get text(): string {
    return this._container.textContent;
  }

  all(selector: string): Element[] {
    return this._container.querySelectorAll(selector);
  }

  /** The texts of what a selector finds. */
  texts(selector: string): string[] {
    return this.all(selector).map(element => element.textContent);
  }

  /** The one element that a selector finds. */
  one(selector: string): Element {
    const found = this.all(selector);
    assert.equal(found.length, 1, `${found.length} of ${selector} in: ${this.text}`);
    return found[0];
  }

  /** The names of all buttons, as a screen reader says them. */
  get buttons(): string[] {
    return this.all('button').map(named);
  }

  button(name: string, within = this._container): Element {
    const found = within.querySelectorAll('button').filter(one => named(one) === name);
    assert.equal(
      found.length,
      1,
      `${found.length} buttons ${name} among ${this.buttons.join(', ')}`
    );
    return found[0];
  }

  /** A field by its label. */
  field(name: string): Input {
    const found = ['input', 'select', 'textarea']
      .flatMap(tag => this.all(tag))
      .filter(field => field.getAttribute('aria-label') === name || this._labels(field) === name);
    assert.equal(found.length, 1, `${found.length} fields ${name} in: ${this.text}`);
    return found[0] as Input;
  }

  click(target: string | Element): Promise<void> {
    const element = typeof target === 'string' ? this.button(target) : target;
    return this.do(() => clickOn(element));
  }

  type(name: string, text: string): Promise<void> {
    const field = this.field(name);
    return this.do(() => typeIn(field, text));
  }

  press(target: Element, key: string): Promise<void> {
    return this.do(() => pressIn(target, key));
  }

  /** Take it all away. */
  async close(): Promise<void> {
    await this.do(() => this._root.unmount());
    this.model.dispose();
    page.body.removeChild(this._container);
    page.activeElement = page.body;
  }

  private _labels(field: Element): string {
    const around = field.closest('label');
    const label = around ?? this.all('label').find(one => one.getAttribute('for') === field.id);
    return (label?.querySelector('.jp-mlops-Field-name') ?? label)?.textContent.trim() ?? '';
  }
}

/** A bench for each test of a file: the clock stands still, and a warning of React's is an error. */
export function useBench(): () => Bench {
  let bench: Bench;
  let warned: string[];
  const warn = console.error;
  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: NOW - 1 });
    warned = [];
    console.error = (...words: unknown[]) => void warned.push(words.map(String).join(' '));
    bench = new Bench();
    await bench.do();
    await bench.wait(1);
  });
  afterEach(async () => {
    await bench.close();
    mock.timers.reset();
    console.error = warn;
    assert.deepEqual(warned, []);
  });
  return () => bench;
}
