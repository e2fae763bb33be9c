/** Plain values: what YAML says, without how it is written. */

/** Keys and positions that lead to a value. */
export type Path = readonly (string | number)[];

/** A mapping of plain values. */
export type Plain = Record<string, unknown>;

/** Whether two plain values are equal; the order of keys does not count. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) {
    return true;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, i) => isSame(item, other[i]))
    );
  }
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') {
    return false;
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(key => key in other && isSame((one as Plain)[key], (other as Plain)[key]))
  );
}

/** The value at a path, undefined where there is none. */
export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === 'object' ? (inner as Plain)[key] : undefined,
    value
  );
}

/** The value with another one at a path; mappings that lead there are made. */
export function changed(value: unknown, [key, ...rest]: Path, wanted: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, i) =>
      i === key ? (rest.length ? changed(item, rest, wanted) : wanted) : item
    );
  }
  const mapping = value !== null && typeof value === 'object' ? (value as Plain) : {};
  return { ...mapping, [key]: rest.length ? changed(mapping[key], rest, wanted) : wanted };
}

/** The value without what is at a path. */
export function without(value: unknown, [key, ...rest]: Path): unknown {
  if (Array.isArray(value)) {
    return rest.length
      ? value.map((item: unknown, i) => (i === key ? without(item, rest) : item))
      : value.filter((_, i) => i !== key);
  }
  const { [key]: inner, ...others } = value as Plain;
  return rest.length ? { ...others, [key]: without(inner, rest) } : others;
}

/** The type that a parameter has whose default this is. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) {
    return 'list';
  }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? 'int' : 'float';
  }
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'str' : 'any';
}
