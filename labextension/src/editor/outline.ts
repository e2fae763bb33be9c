/** What a pipeline's text says, as far as an editor must know it: tasks, settings, what connects them, and where. */
import { Document, isMap, isScalar } from 'yaml';

import { linesOf } from './places';
import { tasksIn, tasksWithin } from './references';
import { read } from './source';
import { Plain } from './values';

/** A task, as written; `settings` has all of its keys. */
export interface ITask {
  name: string;
  notebook: string;
  description: string;
  parameters: Plain;
  settings: Plain;
}

/** A pipeline, as written. */
export interface IOutline {
  name: string;
  description: string;
  parameters: Plain;
  defaults: Plain;
  tasks: ITask[];
  /** Name → what it says. */
  schedules: Readonly<Record<string, Plain>>;
}

/** One way in which a task leads to another: the key of the later one, and what stands there. */
export interface IReason {
  key: string;
  text: string;
}

/** Two tasks of which the second waits for the first. */
export interface IConnection {
  source: string;
  target: string;
  reasons: IReason[];
}

/** A problem as the server tells it. */
export interface IProblem {
  message: string;
  hint?: string | null;
  line?: number | null;
  severity?: string;
}

/**
 * A problem with its place: the task and its key (`parameters.week`); no task and `schedules.nightly.cron`; both are empty
 * for the pipeline itself.
 */
export interface IPlaced extends IProblem {
  task: string;
  key: string;
}

function mapping(value: unknown): Plain {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Plain)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The outline of a text; `EditError` when it is not YAML. */
export function outline(source: string): IOutline {
  return outlined(read(source));
}

function outlined(document: Document.Parsed): IOutline {
  const body = mapping(document.toJS());
  return {
    name: text(body.name),
    description: text(body.description),
    parameters: mapping(body.parameters),
    defaults: mapping(body.defaults),
    tasks: Object.entries(mapping(body.tasks)).map(([name, value]) => {
      const settings = mapping(value);
      return {
        name,
        notebook: text(settings.notebook),
        description: text(settings.description),
        parameters: mapping(settings.parameters),
        settings
      };
    }),
    schedules: Object.fromEntries(
      Object.entries(mapping(body.schedules)).map(([name, value]) => [name, mapping(value)])
    )
  };
}

/** The names in `needs`: one, or a list. */
export function needs(task: ITask): string[] {
  const given = task.settings.needs;
  return (Array.isArray(given) ? given : [given]).filter(
    one => typeof one === 'string'
  ) as string[];
}

/** Why a task waits for others: name of the other → reasons. */
export function reasons(task: ITask): Map<string, IReason[]> {
  const found = new Map<string, IReason[]>();
  const note = (names: string[], key: string, value: unknown): void => {
    for (const name of names) {
      const shown = typeof value === 'string' ? value : JSON.stringify(value);
      found.set(name, [...(found.get(name) ?? []), { key, text: shown }]);
    }
  };
  for (const group of ['parameters', 'env']) {
    for (const [name, value] of Object.entries(mapping(task.settings[group]))) {
      note(tasksWithin(value), `${group}.${name}`, value);
    }
  }
  note(tasksWithin(task.settings.map), 'map', task.settings.map);
  note(tasksIn(text(task.settings.when), true), 'when', task.settings.when);
  needs(task).forEach(name => note([name], 'needs', name));
  return found;
}

/** All pairs of tasks of which one waits for the other; tasks that do not exist are left out. */
export function connections(pipeline: IOutline): IConnection[] {
  const known = new Set(pipeline.tasks.map(task => task.name));
  return pipeline.tasks.flatMap(task =>
    [...reasons(task)]
      .filter(([source]) => known.has(source))
      .map(([source, why]) => ({ source, target: task.name, reasons: why }))
  );
}

/** The tasks that a path of connections leads to from one, itself among them. */
export function reach(pipeline: IOutline, from: string): Set<string> {
  const next = new Map<string, string[]>();
  for (const { source, target } of connections(pipeline)) {
    next.set(source, [...(next.get(source) ?? []), target]);
  }
  const seen = new Set([from]);
  const waiting = [from];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const other of next.get(name) ?? []) {
      if (!seen.has(other)) {
        seen.add(other);
        waiting.push(other);
      }
    }
  }
  return seen;
}

/** Problems with the task and key that they are about: by line, else by the name in the message. */
export function place(source: string, problems: readonly IProblem[]): IPlaced[] {
  let spans: ISpan[] = [];
  try {
    spans = problems.length > 0 ? findSpans(source) : [];
  } catch {
    // Not YAML: the one problem says so.
  }
  return problems.map(problem => {
    const line = problem.line ?? 0;
    const inside = spans.filter(span => span.first <= line && line <= span.last);
    const narrowest = narrow(inside, problem.message);
    if (narrowest) {
      return { ...problem, task: narrowest.task, key: narrowest.key };
    }
    const named = /\btask '([^']+)'/.exec(problem.message)?.[1] ?? '';
    const isTask = spans.some(span => span.task === named);
    return { ...problem, task: isTask ? named : '', key: '' };
  });
}

/** The narrowest span; where several stand in one line, the one that the message names, else what holds them. */
function narrow(spans: readonly ISpan[], message: string): ISpan | undefined {
  for (let level = 2; level >= 0; level--) {
    const here = spans.filter(span => span.level === level);
    const isNamed = ({ name }: ISpan): boolean =>
      message.includes(`'${name}'`) || message.includes(`\`${name}\``);
    const found = here.length > 1 ? here.find(isNamed) : here[0];
    if (found) {
      return found;
    }
  }
  return undefined;
}

interface ISpan {
  task: string;
  key: string;
  /** How it is called: the last part of its key. */
  name: string;
  /** How far within a task, or a schedule. */
  level: number;
  first: number;
  last: number;
}

/** The lines of all tasks and schedules, their keys and their arguments. */
function findSpans(source: string): ISpan[] {
  const document = read(source);
  const spans: ISpan[] = [];
  const walk = (path: string[], depth: number): void => {
    const node = document.getIn(path, true);
    if (!isMap(node)) {
      return;
    }
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      const inner = [...path, name];
      const lines = linesOf(source, document, inner);
      if (lines) {
        const [first, last] = lines;
        const isTask = inner[0] === 'tasks';
        const task = isTask ? inner[1] : '';
        const key = (isTask ? inner.slice(2) : inner).join('.');
        spans.push({ task, key, name, level: inner.length - 2, first, last });
      }
      if (depth > 1) {
        walk(inner, depth - 1);
      }
    }
  };
  walk(['tasks'], 3);
  walk(['schedules'], 3);
  return spans;
}
