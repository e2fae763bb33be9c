/** What a version's envelope says, sorted for readers. Pure. */
import { plain } from '../format';
import type { Envelope, ModelSummary } from '../types';

type Body = Readonly<Record<string, unknown>>;

/** The metric that stands for a model in a list: the first in the order of the alphabet that is no loss, if any. */
export function headline(metrics: ModelSummary['metrics']): [string, number] | null {
  const names = Object.keys(metrics).sort();
  const name = names.find(one => !/loss|error|mae|mse|rmse|time|seconds/i.test(one)) ?? names[0];
  return name === undefined ? null : [name, metrics[name]];
}

/** The last word of a dotted name: `sklearn.linear_model._logistic.LogisticRegression`. */
export function lastWord(dotted: string): string {
  return dotted.split('.').pop() ?? dotted;
}

/** The columns of one side of a signature: name, type, whether values may be missing. */
export function columns(side: unknown): { name: string; type: string; isOptional: boolean }[] {
  const body = mapping(side);
  if (Array.isArray(body.columns)) {
    return body.columns.map(one => {
      const column = mapping(one);
      return {
        name: text(column.name),
        type: text(column.dtype) || text(column.type),
        isOptional: column.has_missing === true
      };
    });
  }
  const shape = Array.isArray(body.shape)
    ? ` [${body.shape.map(size => (size === -1 ? '…' : String(size))).join(' × ')}]`
    : '';
  const kind = text(body.dtype) || text(body.kind);
  return kind ? [{ name: text(body.kind) || 'value', type: kind + shape, isOptional: false }] : [];
}

/** Where the version's code stands: the cells of the notebook, or the script. */
export function code(envelope: Envelope): string[] {
  const body = mapping(envelope.code);
  if (Array.isArray(body.cells) && body.cells.length > 0) {
    return body.cells.map(cell => (typeof cell === 'string' ? cell : text(mapping(cell).source)));
  }
  return body.script ? [text(body.script)] : [];
}

/** A mapping's entries that say something, as name and text. */
export function entries(body: unknown, leaveOut: readonly string[] = []): [string, string][] {
  return Object.entries(mapping(body))
    .filter(([name, value]) => !leaveOut.includes(name) && !isNothing(value))
    .map(([name, value]) => [name.replace(/_/g, ' '), plain(value)]);
}

/** `sha256:43341aa17f14…` as `43341aa17f14`; other names as they are. */
export function shortDigest(name: string): string {
  return name.replace(/\bsha256:([0-9a-f]{8,12})[0-9a-f]*…?/g, '$1');
}

/** A list of texts. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(one => plain(one)) : [];
}

/** A mapping, or an empty one. */
export function mapping(value: unknown): Body {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Body)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : plain(value);
}

function isNothing(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

/** The lines of a unified diff, each with what it is. In its body `---` is a line `--` that went, as SQL has them. */
export function diffLines(diff: string): { kind: 'add' | 'del' | 'head' | 'same'; text: string }[] {
  const lines = diff.split('\n').filter((one, i, all) => one !== '' || i < all.length - 1);
  const body = lines.findIndex(one => one.startsWith('@@'));
  return lines.map((one, i) => ({
    kind:
      one.startsWith('@@') || ((i < body || body < 0) && /^(?:---|\+\+\+)/.test(one))
        ? 'head'
        : one.startsWith('+')
          ? 'add'
          : one.startsWith('-')
            ? 'del'
            : 'same',
    text: one
  }));
}
