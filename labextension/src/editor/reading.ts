/** What the editor shows, read from the document's text and the server's answer. */
import { useEffect, useMemo, useState } from 'react';

import type { Graph, Problem } from '../types';
import { type IOutline, type IPlaced, outline, place } from './outline';
import type { ISharedText } from './shared';

interface IRead {
  pipeline: IOutline;
  error: string;
}

/** The document's text, as it changes. */
export function useText(shared: ISharedText): string {
  const [text, setText] = useState(() => shared.getSource());
  useEffect(() => {
    const take = (): void => setText(shared.getSource());
    take();
    shared.changed.connect(take);
    return () => void shared.changed.disconnect(take);
  }, [shared]);
  return text;
}

/** The outline of the text; while it cannot be read, that of the last one that could. */
export function useRead(text: string): IRead {
  const [last, setLast] = useState<IOutline>(() => ({
    name: '',
    description: '',
    parameters: {},
    defaults: {},
    tasks: [],
    schedules: {}
  }));
  const read = useMemo<IRead>(() => {
    try {
      return { pipeline: outline(text), error: '' };
    } catch (error) {
      return { pipeline: last, error: (error as Error).message };
    }
  }, [text]);
  useEffect(() => {
    if (!read.error) {
      setLast(read.pipeline);
    }
  }, [read]);
  return read;
}

/** The picture without what is gone from the text already. */
export function useKnown(graph: Graph | null, tasks: ReadonlyMap<string, unknown>): typeof graph {
  return useMemo(
    () =>
      graph && {
        ...graph,
        nodes: graph.nodes.filter(({ id }) => tasks.has(id)),
        edges: graph.edges.filter(({ source, target }) => tasks.has(source) && tasks.has(target))
      },
    [graph, tasks]
  );
}

/** The server's problems with their places: it names the task, and often the parameter, only in words. */
export function placeAll(text: string, problems: readonly Problem[]): IPlaced[] {
  return place(text, problems).map((one, i) => {
    if (one.key.startsWith('schedules.')) {
      return ofSchedule(one);
    }
    const task = problems[i].task ?? one.task;
    const parameter =
      problems[i].parameter ?? (task && /\bparameter '([^']+)'/.exec(one.message)?.[1]);
    const known = task === one.task ? one.key : '';
    const key = parameter ? `parameters.${parameter}` : known;
    // Within the task's own form its name need not be said again.
    const message =
      task && one.message.startsWith(`${task}: `)
        ? one.message.slice(task.length + 2)
        : one.message;
    return { ...one, task, key, message };
  });
}

/** A problem of a schedule: which argument or which key it misses stands in its words only. */
function ofSchedule(problem: IPlaced): IPlaced {
  const { key } = problem;
  const name = key.split('.')[1];
  const parameter = /^schedules\.[^.]+(\.parameters)?$/.test(key)
    ? /\bparameter '([^']+)'/.exec(problem.message)?.[1]
    : undefined;
  const lacking = /\blacks `(\w+)`/.exec(problem.message)?.[1];
  const start = `schedule '${name}'`;
  return {
    ...problem,
    task: '',
    key: parameter
      ? `schedules.${name}.parameters.${parameter}`
      : lacking
        ? `${key}.${lacking}`
        : key,
    // Within its own form its name need not be said again.
    message: problem.message.startsWith(`${start}: `)
      ? problem.message.slice(start.length + 2)
      : problem.message
  };
}

/** Of each task, what is wrong with it. */
export function grouped(
  problems: readonly IPlaced[],
  tasks: ReadonlyMap<string, unknown>
): Map<string, { message: string; severity: string }[]> {
  const found = new Map<string, { message: string; severity: string }[]>();
  for (const { task, message, severity = 'error' } of problems) {
    if (tasks.has(task)) {
      found.set(task, [...(found.get(task) ?? []), { message, severity }]);
    }
  }
  return found;
}
