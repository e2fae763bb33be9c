/** A notebook becomes a task of a pipeline: a new task at the end, its parameters given by what has the same name. Pure. */
import { addTask, freeName, setArgument } from './operations';
import { outline } from './outline';

/** What an earlier task is known to give: the names of its results. */
export interface IGiven {
  task: string;
  results: readonly string[];
}

export interface IAdded {
  text: string;
  task: string;
  /** Parameter → what it was given. */
  wired: Readonly<Record<string, string>>;
}

/** `notebook` is relative to the pipeline's file. Of several tasks that give a name the last one counts. */
export function addNotebook(
  text: string,
  notebook: string,
  parameters: readonly string[],
  given: readonly IGiven[] = []
): IAdded {
  const pipeline = outline(text);
  const task = freeName(pipeline, notebook);
  const known = new Set(pipeline.tasks.map(({ name }) => name));
  const wired: Record<string, string> = {};
  let made = addTask(text, task, notebook);
  for (const name of parameters) {
    const source = [...given]
      .reverse()
      .find(one => known.has(one.task) && one.results.includes(name));
    const reference =
      name in pipeline.parameters
        ? `\${params.${name}}`
        : source && /^\w+$/.test(name)
          ? `\${tasks.${source.task}.results.${name}}`
          : '';
    if (reference) {
      made = setArgument(made, task, name, reference);
      wired[name] = reference;
    }
  }
  return { text: made, task, wired };
}

/** A path as a file in another folder writes it: `../shared/a.ipynb`. */
export function relativeTo(file: string, path: string): string {
  const from = file.split('/').slice(0, -1);
  const to = path.split('/');
  while (from.length && to.length > 1 && from[0] === to[0]) {
    from.shift();
    to.shift();
  }
  return [...from.map(() => '..'), ...to].join('/');
}
