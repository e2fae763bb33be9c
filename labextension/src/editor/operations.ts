/** What the visual editor does to a pipeline: each operation takes the text and gives the new one. */
import { isPair, isScalar, Scalar, visit } from 'yaml';

import { trans } from '../language';
import { keyEdit } from './cutting';
import { connections, IOutline, ITask, needs, outline, reach } from './outline';
import { EditError, IEdit, startOf } from './places';
import { renameIn, renameWithin, TASK_NAME } from './references';
import { isPlain, quoted } from './scalars';
import { append, plain, proved, put, read, take } from './source';
import { Plain } from './values';

/** The keys that lead to a setting: `tasks`, the name, the setting. The task stays when its last one goes. */
const SETTING = 3;

/** A name for a task that runs a notebook, after the notebook, not taken yet. */
export function freeName(pipeline: IOutline, notebook: string): string {
  const stem = (notebook.split('/').pop() ?? '').replace(/\.ipynb$/, '');
  const word = stem.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^[^A-Za-z]+/, '') || 'task';
  const taken = new Set(pipeline.tasks.map(task => task.name));
  let name = word;
  for (let i = 2; taken.has(name); i++) {
    name = `${word}_${i}`;
  }
  return name;
}

/** A new task at the end. */
export function addTask(text: string, name: string, notebook: string): string {
  check(outline(text), name);
  return put(text, ['tasks', name], { notebook });
}

/** Without a task, and without what others take from it. */
export function removeTask(text: string, name: string): string {
  const pipeline = outline(text);
  find(pipeline, name);
  const targets = connections(pipeline).filter(one => one.source === name);
  const cut = targets.reduce((made, one) => disconnect(made, name, one.target), text);
  return take(cut, ['tasks', name]);
}

/** A task under another name; whatever refers to it follows. */
export function renameTask(text: string, from: string, to: string): string {
  if (from === to) {
    return text;
  }
  const pipeline = outline(text);
  find(pipeline, from);
  check(pipeline, to);
  const document = read(text);
  const edits: IEdit[] = [keyEdit(document, ['tasks', from], to)];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string') {
        return;
      }
      const keys = ancestors
        .filter(isPair)
        .map(pair => (isScalar(pair.key) ? String(pair.key.value) : ''));
      const renamed = renamedScalar(keys, node.value, from, to);
      if (renamed !== node.value) {
        edits.push(
          scalarEdit(text, node as Scalar<string>, renamed, s => renamedScalar(keys, s, from, to))
        );
      }
    }
  });
  return proved(text, edits, renamedPlain(plain(text), from, to));
}

/** One setting of a task (`when`, `timeout`, `notebook`, …); undefined takes it away. */
export function setSetting(
  text: string,
  task: string,
  path: readonly string[],
  value: unknown
): string {
  find(outline(text), task);
  const whole = ['tasks', task, ...path];
  return value === undefined ? take(text, whole, SETTING) : put(text, whole, value);
}

/** An argument for one of the notebook's parameters; undefined takes it away. */
export function setArgument(text: string, task: string, name: string, value: unknown): string {
  return setSetting(text, task, ['parameters', name], value);
}

/** How often a task is tried again; the short form is kept where it says all. */
export function setRetries(
  text: string,
  task: string,
  key: 'limit' | 'delay',
  value: unknown
): string {
  const now = find(outline(text), task).settings.retries;
  const isShort = now === undefined || typeof now !== 'object';
  if (isShort && key === 'limit') {
    return setSetting(text, task, ['retries'], value);
  }
  if (isShort) {
    return value === undefined
      ? text
      : setSetting(text, task, ['retries'], { limit: now ?? 1, delay: value });
  }
  return key === 'limit' && value === undefined
    ? setSetting(text, task, ['retries'], undefined)
    : setSetting(text, task, ['retries', key], value);
}

/** One task waits for another: without `parameter` for its end, else for a value that it gives. */
export function connect(
  text: string,
  source: string,
  target: string,
  given?: { parameter: string; reference: string }
): string {
  const pipeline = outline(text);
  find(pipeline, source);
  const task = find(pipeline, target);
  if (reach(pipeline, target).has(source)) {
    const why =
      source === target
        ? trans.__('A task cannot wait for itself: that would be a circle')
        : trans.__('%1 waits for %2 already: that would be a circle', source, target);
    throw new EditError(why);
  }
  if (given) {
    return setArgument(text, target, given.parameter, given.reference);
  }
  if (needs(task).includes(source)) {
    return text;
  }
  const path = ['tasks', target, 'needs'];
  return Array.isArray(task.settings.needs) && needs(task).length > 0
    ? append(text, path, source)
    : put(text, path, needs(task).length > 0 ? [...needs(task), source] : source);
}

/** Without anything that makes one task wait for another. */
export function disconnect(text: string, source: string, target: string): string {
  const found = connections(outline(text)).find(
    one => one.source === source && one.target === target
  );
  if (!found) {
    return text;
  }
  return found.reasons.reduce((made, reason) => {
    if (reason.key !== 'needs') {
      return setSetting(
        made,
        target,
        reason.key === 'map' || reason.key === 'when' ? [reason.key] : split(reason.key),
        undefined
      );
    }
    return withoutNeed(made, source, target);
  }, text);
}

function split(key: string): string[] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), key.slice(dot + 1)];
}

function withoutNeed(text: string, source: string, target: string): string {
  const task = find(outline(text), target);
  const path: (string | number)[] = ['tasks', target, 'needs'];
  if (!Array.isArray(task.settings.needs) || needs(task).every(name => name === source)) {
    return take(text, path, SETTING);
  }
  const index = (task.settings.needs as unknown[]).indexOf(source);
  return take(text, [...path, index], SETTING);
}

function find(pipeline: IOutline, name: string): ITask {
  const task = pipeline.tasks.find(one => one.name === name);
  if (!task) {
    throw new EditError(trans.__('There is no task %1', name));
  }
  return task;
}

function check(pipeline: IOutline, name: string): void {
  if (!TASK_NAME.test(name)) {
    throw new EditError(
      trans.__('A name begins with a letter and goes on with letters, digits, _ and -')
    );
  }
  if (pipeline.tasks.some(task => task.name === name)) {
    throw new EditError(trans.__('There is a task %1 already', name));
  }
}

// --- renaming -------------------------------------------------------------------------------------------

function renamedScalar(keys: readonly string[], value: string, from: string, to: string): string {
  const setting = keys[0] === 'tasks' ? keys[2] : undefined;
  if (setting === 'needs') {
    return value === from ? to : value;
  }
  return renameIn(value, from, to, setting === 'when');
}

/** The scalar within its own quotes; a plain one only where its text appears as it is. */
function scalarEdit(
  text: string,
  node: Scalar<string>,
  renamed: string,
  rename: (source: string) => string
): IEdit {
  const start = startOf(node);
  const end = node.range![1];
  const source = text.slice(start, end);
  if (node.type === 'PLAIN') {
    const isSame = source === node.value;
    return {
      start,
      end,
      text: isSame ? (isPlain(renamed, false) ? renamed : quoted(renamed)) : rename(source)
    };
  }
  if (node.type === 'QUOTE_SINGLE') {
    return { start, end, text: `'${renamed.replace(/'/g, "''")}'` };
  }
  return { start, end, text: node.type === 'QUOTE_DOUBLE' ? quoted(renamed) : rename(source) };
}

function renamedPlain(body: Plain, from: string, to: string): Plain {
  const renamed = renameWithin(body, from, to) as Plain;
  const tasks = Object.entries(renamed.tasks as Plain).map(
    ([name, settings]): [string, unknown] => {
      const task = { ...(settings as Plain) };
      const given = ((body.tasks as Plain)[name] as Plain | null) ?? {};
      if (typeof given.when === 'string') {
        task.when = renameIn(given.when, from, to, true);
      }
      if (Array.isArray(given.needs)) {
        task.needs = given.needs.map(one => (one === from ? to : (one as unknown)));
      } else if (given.needs === from) {
        task.needs = to;
      }
      return [name === from ? to : name, settings === null ? null : task];
    }
  );
  return { ...renamed, tasks: Object.fromEntries(tasks) };
}
