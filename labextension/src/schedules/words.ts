/** When something comes, as people say it. */
import { duration } from '../format';
import type { Schedule } from '../types';

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** `in 3 h`, `due`, `never`. */
export function until(at: string | null, now: number, trans: Trans): string {
  if (at === null) {
    return trans.__('never');
  }
  const seconds = (Date.parse(at) - now) / 1000;
  return seconds <= 0 ? trans.__('due') : trans.__('in %1', coarse(seconds));
}

function coarse(seconds: number): string {
  if (seconds < 48 * 3600) {
    return duration(Math.round(seconds));
  }
  return `${Math.round(seconds / 86400)} d`;
}

/** The zone of whoever sits here. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** A moment by the clock of a zone: `Mon 2026-03-30 06:00`. A zone that this browser does not know: by UTC, which is said. */
export function onClock(at: string, timezone: string): string {
  if (!isKnown(timezone)) {
    return `${onClock(at, 'UTC')} UTC`;
  }
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23'
  }).formatToParts(new Date(at));
  const of = (type: string): string => parts.find(part => part.type === type)?.value ?? '';
  return `${of('weekday')} ${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}`;
}

/** Whether this browser knows a zone: the server's list of them may be newer. */
function isKnown(timezone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en-GB', { timeZone: timezone }));
  } catch {
    return false;
  }
}

/** How its runs wait for admission: `5`, `-5, may make way`; "" when nothing was said. */
export function rank(
  schedule: Pick<Schedule, 'priority' | 'is_preemptible'>,
  trans: Trans
): string {
  const said = [
    schedule.priority ? String(schedule.priority) : '',
    schedule.is_preemptible ? trans.__('may make way') : ''
  ];
  return said.filter(Boolean).join(', ');
}

/** What is often wanted; the first is offered. */
export const common = (trans: Trans): readonly (readonly [string, string])[] => [
  ['0 6 * * MON', trans.__('Mondays at 6')],
  ['0 6 * * *', trans.__('every day at 6')],
  ['0 6 * * MON-FRI', trans.__('working days at 6')],
  ['0 * * * *', trans.__('every hour')],
  ['*/15 * * * *', trans.__('every 15 minutes')],
  ['0 6 1 * *', trans.__('the first of the month at 6')]
];
