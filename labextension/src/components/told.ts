/** What the server says against a form, divided among its fields: `where` of a problem is the field that is meant. */
import { ApiError } from '../api';

/** What is wrong, and its cure. */
export function inALine({ message, hint }: { message: string; hint?: string | null }): string {
  return hint ? `${message}; ${hint}` : message;
}

/** What is said against one field. */
export function toldAt(error: Error | null, field: string): string[] {
  return problemsOf(error)
    .filter(({ where }) => where === field)
    .map(inALine);
}

/** Whether all of it is said at these fields, so that it need not be said once more. */
export function isTold(error: Error, fields: readonly string[]): boolean {
  const problems = problemsOf(error);
  return problems.length > 0 && problems.every(({ where }) => fields.includes(where));
}

const problemsOf = (error: Error | null): ApiError['problems'] =>
  error instanceof ApiError ? error.problems : [];
