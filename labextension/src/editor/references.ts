/**
 * References to tasks within text: `${tasks.pull.results.rows}`, and `tasks.pull.state` in a condition.
 *
 * The grammar is that of `jupyter_mlops/pipelines/references.py` and `conditions.py`; here only the name of the
 * task counts. A quoted text within a condition is text, and `$${` is a literal `${`.
 */

const NAME = '[A-Za-z_][A-Za-z0-9_-]*';
const HOLE = new RegExp(`\\$\\$\\{|(\\$\\{\\s*tasks\\.)(${NAME})([^{}]*\\})`, 'g');
const IN_CONDITION = new RegExp(
  `'[^']*'|"[^"]*"|(\\$\\{\\s*tasks\\.|(?<![\\w.$-])tasks\\.)(${NAME})()`,
  'g'
);

/** What may be the name of a task. */
export const TASK_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

function pattern(isCondition: boolean): RegExp {
  return isCondition ? IN_CONDITION : HOLE;
}

/** The tasks that a text refers to, each once, in order. */
export function tasksIn(text: string, isCondition = false): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(pattern(isCondition))) {
    if (match[2] !== undefined) {
      found.add(match[2]);
    }
  }
  return [...found];
}

/** The text with references to one task naming another. */
export function renameIn(text: string, from: string, to: string, isCondition = false): string {
  return text.replace(
    pattern(isCondition),
    (whole, before?: string, name?: string, after?: string) =>
      name === from ? `${before}${to}${after}` : whole
  );
}

/** The tasks that a value refers to, at any depth. */
export function tasksWithin(value: unknown): string[] {
  if (typeof value === 'string') {
    return tasksIn(value);
  }
  if (value !== null && typeof value === 'object') {
    return [...new Set(Object.values(value).flatMap(tasksWithin))];
  }
  return [];
}

/** The value with references to one task naming another, at any depth. */
export function renameWithin(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') {
    return renameIn(value, from, to);
  }
  if (Array.isArray(value)) {
    return value.map(item => renameWithin(item, from, to));
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, renameWithin(item, from, to)])
    );
  }
  return value;
}
