/** Numbers as places in a small chart. Pure. */

/** A value as a place between two ends; the ends of an empty range are both its middle. */
export function scale(
  domain: readonly [number, number],
  range: readonly [number, number]
): (value: number) => number {
  const [low, high] = domain;
  const [from, to] = range;
  return value =>
    high === low ? (from + to) / 2 : from + ((value - low) / (high - low)) * (to - from);
}

/** Round numbers that span the values: about `count` of them, the first and last outside of all values. */
export function ticks(values: readonly number[], count = 3): number[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) {
    return [0, 1];
  }
  let low = Math.min(...finite);
  let high = Math.max(...finite);
  if (low === high) {
    const room = Math.abs(low) * 0.1 || 1;
    [low, high] = [low - room, high + room];
  }
  const raw = (high - low) / Math.max(1, count - 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5, 10].find(one => one * power >= raw * (1 - 1e-9)) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12))
  );
}

/** Numbers of one axis, all with as many digits as the finest of them needs. */
export function labels(values: readonly number[]): string[] {
  const big = Math.max(...values.map(Math.abs));
  if (big >= 1e5 || (big > 0 && big < 1e-3)) {
    return values.map(short);
  }
  const digits = Math.max(...values.map(value => (String(value).split('.')[1] ?? '').length));
  return values.map(value => value.toFixed(Math.min(6, digits)));
}

/** A number in few characters: `0.7803`, `12.3k`, `4.1e-7`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) {
    return String(value);
  }
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) {
    return value.toExponential(1);
  }
  const unit = [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
    ['k', 1e4]
  ].find(([, least]) => size >= (least as number));
  if (unit) {
    const [letter] = unit as [string, number];
    const by = letter === 'k' ? 1e3 : (unit[1] as number);
    return `${Number((value / by).toPrecision(3))}${letter}`;
  }
  return String(Number(value.toPrecision(4)));
}

/** A line through points; it breaks where there is no value. */
export function line(points: readonly (readonly [number, number | null])[]): string {
  let isDown = false;
  return points
    .map(([x, y]) => {
      if (y === null) {
        isDown = false;
        return '';
      }
      const step = `${isDown ? 'L' : 'M'}${round(x)} ${round(y)}`;
      isDown = true;
      return step;
    })
    .join('');
}

/** How much of a number a picture needs. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The highest density of a histogram. */
export function density(edges: readonly number[], shares: readonly number[]): number {
  const all = shares.map((share, i) =>
    edges[i + 1] > edges[i] ? share / (edges[i + 1] - edges[i]) : 0
  );
  return Math.max(0, ...all);
}

/**
 * A histogram's bars, as wide as their bins and as high as their density: deciles have equal shares, and bars of equal
 * height would show nothing. `edges` has one more than `shares`; `highest` is the density that is drawn as 1.
 */
export function bars(
  edges: readonly number[],
  shares: readonly number[],
  highest = density(edges, shares)
): { from: number; to: number; height: number }[] {
  const found = shares.map((share, i) => {
    const [from, to] = [edges[i], edges[i + 1]];
    return { from, to, share, height: to > from ? share / (to - from) : 0 };
  });
  // A bin without width holds one value that is often there: as high as the highest.
  return found.map(({ from, to, share, height }) => ({
    from,
    to,
    height: to > from ? (highest ? height / highest : 0) : share > 0 ? 1 : 0
  }));
}
