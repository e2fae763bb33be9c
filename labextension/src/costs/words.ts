/** Amounts of money and rates as people read them. Pure. */

/** US dollars with about three digits: `$1,234`, `$12.30`, `$0.0124`; `–` for none. The same as on the command line. */
export function money(amount: number | null | undefined): string {
  if (amount === null || amount === undefined) {
    return '–';
  }
  const [sign, size] = [amount < 0 ? '-' : '', Math.abs(amount)];
  if (size >= 99.995) {
    return `${sign}$${Math.round(size).toLocaleString('en')}`;
  }
  if (size === 0) {
    return '$0';
  }
  if (size >= 0.995) {
    return `${sign}$${size.toFixed(2)}`;
  }
  if (size < 0.00005) {
    return `<${sign}$0.0001`;
  }
  return `${sign}$${size.toFixed(size >= 0.1 ? 2 : size >= 0.01 ? 3 : 4)}`;
}

/** A part of the whole: `37 %`, `0.4 %`, `250 %`. */
export function percent(part: number): string {
  const value = part * 100;
  return `${value > 0 && value < 0.995 ? Number(value.toPrecision(1)) : Math.round(value)} %`;
}

/** Operations a second: `134 GFLOPS`, `1.98 PFLOPS`. */
export function flops(rate: number): string {
  let [value, power] = [rate, 0];
  while (value >= 999.5 && power < PREFIXES.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${Number(value.toPrecision(3))} ${PREFIXES[power]}FLOPS`;
}

/** The number formats of a mapping, the widest first. */
export function formats(rates: Readonly<Record<string, number>>): string[] {
  return FORMATS.filter(name => rates[name] !== undefined);
}

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const FORMATS = ['float64', 'float32', 'tfloat32', 'bfloat16', 'float16', 'float8', 'int8'];
