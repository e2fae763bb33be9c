/** Numbers and times as people read them. Pure: "now" is handed in. */
import { trans } from './language';

/** `0.4s`, `12s`, `3m 05s`, `2h 10m`, `3d 4h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return '';
  }
  if (seconds < 9.95) {
    return `${Math.max(0, seconds).toFixed(1)}s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole}s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) {
    return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  }
  return `${Math.floor(minutes / 1440)}d ${Math.floor(minutes / 60) % 24}h`;
}

/** How long something has taken, or takes already. */
export function elapsed(
  startedAt: string | null | undefined,
  finishedAt: string | null | undefined,
  now: number
): number | null {
  if (!startedAt) {
    return null;
  }
  const end = finishedAt ? Date.parse(finishedAt) : now;
  return Math.max(0, (end - Date.parse(startedAt)) / 1000);
}

/** `now`, `4 min ago`, `3 h ago`, `yesterday 14:05`, `12 Mar 14:05`, `12 Mar 2024`. */
export function ago(at: string | null | undefined, now: number): string {
  if (!at) {
    return '';
  }
  const then = new Date(at);
  const seconds = (now - then.getTime()) / 1000;
  if (seconds < 45) {
    return trans.__('just now');
  }
  if (seconds < 3570) {
    return trans.__('%1 min ago', Math.round(seconds / 60));
  }
  const today = new Date(now);
  const midnight = new Date(today.getFullYear(), today.getMonth(), today.getDate()).getTime();
  if (then.getTime() >= midnight) {
    return trans.__('%1 h ago', Math.round(seconds / 3600));
  }
  const clock = `${pad(then.getHours())}:${pad(then.getMinutes())}`;
  if (then.getTime() >= midnight - 86_400_000) {
    return trans.__('yesterday %1', clock);
  }
  const day = `${then.getDate()} ${month(then)}`;
  return then.getFullYear() === today.getFullYear()
    ? `${day} ${clock}`
    : `${day} ${then.getFullYear()}`;
}

/** `Mar`, as the page's language has it. */
const month = (at: Date): string =>
  at.toLocaleDateString(globalThis.document?.documentElement.lang || 'en', { month: 'short' });

/** The whole time, for a tooltip. */
export function exactly(at: string | null | undefined): string {
  return at ? new Date(at).toLocaleString() : '';
}

/** `312 B`, `4.2 KiB`, `1.3 GiB`. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) {
    return '';
  }
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** A JSON value on one line: strings plainly, numbers short, the rest as JSON. */
export function plain(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return String(Number(value.toPrecision(6)));
  }
  return value === undefined ? '' : JSON.stringify(value);
}

/** A value as a reader wants it: of a blob's address only the file's name and the beginning of its digest. */
export function brief(value: unknown): string {
  const text = plain(value);
  const blob = /^blob:\/\/[a-z0-9]+\/([0-9a-f]{8})[0-9a-f]+\/(.+)$/.exec(text);
  return blob ? `${blob[2]} · ${blob[1]}` : text;
}

/** At most `most` characters, with an ellipsis where something is left out. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1)).trimEnd()}…`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const pad = (value: number): string => String(value).padStart(2, '0');
