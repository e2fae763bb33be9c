/** The rows of a task's arguments: what its notebook takes, and what the pipeline gives. Pure. */
import type { Parameter } from '../types';
import type { IOutline, ITask } from './outline';
import { reach } from './outline';
import { shown, typed } from './scalars';
import type { Plain } from './values';

export interface IArgument {
  name: string;
  /** The notebook's parameter; undefined where it has none of this name (or could not be read). */
  parameter?: Parameter;
  /** As a field shows it; empty where nothing is given. */
  text: string;
  isGiven: boolean;
}

/** The notebook's parameters in its order, then what is given beyond. */
export function argumentRows(task: ITask, parameters: readonly Parameter[]): IArgument[] {
  const declared = parameters.map(parameter => row(task, parameter.name, parameter));
  const names = new Set(parameters.map(({ name }) => name));
  const beyond = Object.keys(task.parameters).filter(name => !names.has(name));
  return [...declared, ...beyond.map(name => row(task, name))];
}

function row(task: ITask, name: string, parameter?: Parameter): IArgument {
  return {
    name,
    parameter,
    isGiven: name in task.parameters,
    text: argumentText(task.parameters[name], parameter)
  };
}

/** A value as a field shows it; empty where nothing is given. */
export function argumentText(value: unknown, parameter?: Parameter): string {
  return parameter?.type === 'str' && typeof value === 'string' ? value : shown(value);
}

/** What a field's text stands for; undefined: nothing is given. A `str` is text whatever it looks like. */
export function argumentValue(text: string, parameter?: Parameter): unknown {
  if (text.trim() === '') {
    return undefined;
  }
  const value = typed(text);
  if (parameter?.type === 'str' && typeof value !== 'string') {
    return text;
  }
  return parameter?.type === 'str' && /^['"]/.test(text.trim())
    ? value
    : parameter?.type === 'str'
      ? text
      : value;
}

/** References that could be an argument of a task: the pipeline's parameters, and what others are known to give. */
export function offers(pipeline: IOutline, task: string): string[] {
  const after = reach(pipeline, task);
  const given = [...new Set(known(pipeline.tasks.map(one => one.settings)))].filter(
    reference => !after.has(nameOf(reference))
  );
  const own = pipeline.tasks.find(one => one.name === task)?.settings ?? {};
  const axes = Object.keys((own.matrix as Plain | undefined) ?? {}).map(
    axis => `\${matrix.${axis}}`
  );
  return [
    ...Object.keys(pipeline.parameters).map(name => `\${params.${name}}`),
    ...axes,
    ...('map' in own ? ['${item}'] : []),
    ...given,
    '${run.id}'
  ];
}

/** What one task is known to give to others: the names that the pipeline takes from it already. */
export function gives(pipeline: IOutline, task: string): string[] {
  const all = new Set(known(pipeline.tasks.map(one => one.settings)));
  return [...all].filter(reference => nameOf(reference) === task);
}

function known(value: unknown): string[] {
  if (typeof value === 'string') {
    return value.match(/\$\{tasks\.[^{}[\]]+\}/g) ?? [];
  }
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(known) : [];
}

function nameOf(reference: string): string {
  return /tasks\.([\w-]+)/.exec(reference)?.[1] ?? '';
}
