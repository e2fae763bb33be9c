/**
 * Values as YAML on one line, and back.
 *
 * What is written here reads the same by the rules of YAML 1.1 and 1.2: text that one of them would take for a
 * number, a date or a truth value is quoted.
 */
import { parseDocument, Tags, ScalarTag } from 'yaml';

/** A number with leading zeros (`007`) stays text, as in `pipelines/source.py`. */
const INT = /^[-+]?(?:0|[1-9][0-9]*)$/;
const NOT_PLAIN_START = /^[-?:,[\]{}#&*!|>'"%@`\s]/;
const TAKEN = new RegExp(
  [
    '^(?:~|null|true|false|yes|no|on|off|=|<<)$',
    '^[-+]?[0-9._][0-9a-fx._]*(?:e[-+]?[0-9]+)?$',
    '^[-+]?\\.?(?:inf|nan)$',
    '^[-+]?[0-9]+(?::[0-9.]+)+$',
    '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}'
  ].join('|'),
  'i'
);
// What YAML does not let stand in a line as it is: control characters, line breaks and the byte order mark.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

/** The options by which all YAML is read here. */
export const READING = {
  version: '1.2',
  merge: true,
  customTags: (tags: Tags): Tags =>
    tags.map(tag => (isPlainInt(tag) ? { ...tag, test: INT } : tag)) as Tags
} as const;

function isPlainInt(tag: unknown): tag is ScalarTag {
  const known = tag as ScalarTag;
  return known.tag === 'tag:yaml.org,2002:int' && known.format === undefined;
}

/** Whether a text can stand without quotes. */
export function isPlain(text: string, isInFlow: boolean): boolean {
  return (
    text !== '' &&
    text === text.trim() &&
    !UNPRINTABLE.test(text) &&
    !NOT_PLAIN_START.test(text) &&
    !/:(?:\s|$)|\s#/.test(text) &&
    !(isInFlow && /[,[\]{}]/.test(text)) &&
    !TAKEN.test(text)
  );
}

/** A text in quotes. */
export function quoted(text: string): string {
  const isSimple = !UNPRINTABLE.test(text) && !text.includes('\\') && !text.includes('"');
  if (isSimple) {
    return `"${text}"`;
  }
  if (!UNPRINTABLE.test(text)) {
    return `'${text.replace(/'/g, "''")}'`;
  }
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`
  );
}

/** A value in one line; lists and mappings in brackets. */
export function inline(value: unknown, isInFlow = false): string {
  if (typeof value === 'string') {
    return isPlain(value, isInFlow) ? value : quoted(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(item => inline(item, true)).join(', ')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const pairs = Object.entries(value).map(
      ([key, item]) => `${inline(key, true)}: ${inline(item, true)}`
    );
    return `{${pairs.join(', ')}}`;
  }
  if (typeof value === 'number') {
    return Number.isNaN(value)
      ? '.nan'
      : Math.abs(value) === Infinity
        ? value > 0
          ? '.inf'
          : '-.inf'
        : `${value}`;
  }
  return value === undefined || value === null ? 'null' : `${value as boolean | bigint}`;
}

/** What somebody typed as a value: `20`, `true`, `[a, b]`, `${params.week}`; what is no YAML is text. */
export function typed(text: string): unknown {
  const trimmed = text.trim();
  if (/^\$\{[^{}]*\}/.test(trimmed) || trimmed === '') {
    return trimmed;
  }
  const document = parseDocument(trimmed, READING);
  if (document.errors.length > 0) {
    return text;
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    return text; // `*name` without its anchor
  }
  const isText = typeof value === 'string' || (value === null && !/^(?:~|null)$/i.test(trimmed));
  return isText && !/^['"]/.test(trimmed) ? trimmed : value;
}

/** A value as somebody would type it, so that `typed` gives it back. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') {
    return value === undefined ? '' : inline(value);
  }
  return typed(value) === value ? value : quoted(value);
}
