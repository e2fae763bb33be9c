/** What the specs of the editor share: documents, pipelines as the server answers, and an API that says what a test wants. */
import { Signal } from '@lumino/signaling';

import { parameter as anyParameter, problem, trans } from '../../__tests__/samples';
import type { Api } from '../../api';
import type { Graph, Parameter, Pipeline, Problem } from '../../types';
import type { IPlaced } from '../outline';
import type { ISharedText } from '../shared';

export { problem, trans };

export const never = (what: string) => (): never => {
  throw new Error(`${what} was not asked for`);
};

/** A document's text with undo, as JupyterLab's shared file has it. */
export class SharedText implements ISharedText {
  readonly changed = new Signal<this, void>(this);
  private _done: string[] = [];
  private _undone: string[] = [];
  constructor(private _text: string) {}
  getSource(): string {
    return this._text;
  }
  /** Changed by somebody else. */
  become(text: string): void {
    this._text = text;
    this.changed.emit();
  }
  updateSource(start: number, end: number, value = ''): void {
    this._done.push(this._text);
    this._undone = [];
    this.become(this._text.slice(0, start) + value + this._text.slice(end));
  }
  undo(): void {
    this._step(this._done, this._undone);
  }
  redo(): void {
    this._step(this._undone, this._done);
  }
  canUndo(): boolean {
    return this._done.length > 0;
  }
  canRedo(): boolean {
    return this._undone.length > 0;
  }
  private _step(from: string[], to: string[]): void {
    const text = from.pop();
    if (text !== undefined) {
      to.push(this._text);
      this.become(text);
    }
  }
}

/** An editing form's `edit`: it keeps the text, and what each change made of it. */
export class Edited {
  constructor(public text: string) {}
  readonly edit = (change: (text: string) => string): boolean => {
    this.text = change(this.text);
    return true;
  };
}

/** One without a default. */
export const parameter = (name: string, changes: Partial<Parameter> = {}): Parameter =>
  anyParameter(name, { default: null, default_text: '', ...changes });

export const placed = (message: string, changes: Partial<IPlaced> = {}): IPlaced => ({
  message,
  severity: 'error',
  task: '',
  key: '',
  ...changes
});

/** A row of tasks, 60 apart, each 100 by 40, with edges between pairs like `pull>fit`. */
export function picture(ids: readonly string[], pairs: readonly string[] = []): Graph {
  const left = (id: string): number => 160 * ids.indexOf(id);
  return {
    width: 160 * ids.length,
    height: 40,
    direction: 'right',
    nodes: ids.map(id => ({
      id,
      label: id,
      kind: 'task',
      x: left(id),
      y: 0,
      width: 100,
      height: 40
    })),
    edges: pairs.map(pair => {
      const [source, target] = pair.split('>');
      const points = [
        [left(source) + 100, 20],
        [left(target), 20]
      ];
      return { source, target, kind: 'needs', points };
    })
  };
}

/** What the server says of a text: only what the editor reads of it. */
export const answer = (
  graph: Graph,
  problems: readonly Problem[] = [],
  notebooks: Readonly<Record<string, string | null>> = {}
): Pipeline =>
  ({
    graph,
    problems,
    tasks: graph.nodes.map(({ id }) => ({
      name: id,
      notebook_path: id in notebooks ? notebooks[id] : `flights/${id}.ipynb`
    }))
  }) as unknown as Pipeline;

/** A server of which each answer is given by hand. */
export class Server {
  readonly asked: {
    path: string;
    text: string;
    say: (made: Pipeline) => void;
    fail: (error: Error) => void;
  }[] = [];
  readonly notebooks: string[] = [];
  /** What notebooks take; one that is not here cannot be read. */
  takes: Record<string, Parameter[]> = {};
  readonly api = {
    check: (path: string, text: string) =>
      new Promise<Pipeline>((say, fail) => this.asked.push({ path, text, say, fail })),
    notebookParameters: (path: string) => {
      this.notebooks.push(path);
      return path in this.takes
        ? Promise.resolve({ parameters: this.takes[path] })
        : Promise.reject(new Error(`${path} cannot be read`));
    }
  } as unknown as Api;
  get last() {
    return this.asked[this.asked.length - 1];
  }
}
