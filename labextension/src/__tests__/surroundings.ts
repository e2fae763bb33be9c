/** What a section, a tab or a command is given, with everything that it does in it kept to be looked at. */
import { Signal } from '@lumino/signaling';
import { Api } from '../api';
import { trans } from '../language';
import { type IEvent, Model } from '../model';
import { Navigation } from '../navigation';
import { Preferences } from '../preferences';
import type { IContext } from '../tokens';
import { status } from './samples';

/** What the server answers, by `GET /runs`; a function is given the body, an `Error` is thrown. */
export type Answers = Record<string, unknown>;

export interface ISurroundings {
  readonly context: IContext;
  readonly answers: Answers;
  readonly asked: [string, unknown][];
  readonly opened: [string, unknown][];
  readonly files: [string, string | undefined][];
  readonly reported: unknown[];
  readonly said: string[];
  dispose(): void;
}

export function surroundings(app: object = {}, answers: Answers = {}): ISurroundings {
  const made: Omit<ISurroundings, 'context' | 'dispose'> = {
    answers,
    asked: [],
    opened: [],
    files: [],
    reported: [],
    said: []
  };
  const api = new Api('http://host/', async (url, { method, body }) => {
    const place = `${method} ${decodeURIComponent(new URL(url).pathname.slice('/mlops/api'.length))}`;
    const given = body === undefined ? undefined : JSON.parse(String(body));
    made.asked.push([place, given]);
    const answer = answers[place];
    if (answer instanceof Error) {
      throw answer;
    }
    const said = typeof answer === 'function' ? await answer(given) : answer;
    return said instanceof Response ? said : new Response(JSON.stringify(said ?? {}));
  });
  const model = new Model(async () => status(), new Signal<unknown, IEvent>({}), 'never');
  const context = {
    app,
    api,
    model,
    navigation: new Navigation(),
    preferences: new Preferences(),
    trans,
    open: (kind: string, args: unknown) => void made.opened.push([kind, args]),
    openFile: (path: string, factory?: string) => void made.files.push([path, factory]),
    report: (error: unknown) => void made.reported.push(error),
    say: (text: string) => void made.said.push(text)
  } as unknown as IContext;
  return { ...made, context, dispose: () => model.dispose() };
}

/** An answer that says no. */
export const refused = (code: string, message: string, hint = ''): Response =>
  new Response(JSON.stringify({ code, message, hint }), { status: 409 });
