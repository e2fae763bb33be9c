/** The states of runs and tasks: their words, their signs, and which of them are ends. */
import { trans } from './language';
import type { RunSummary, State } from './types';

export const STATES: readonly State[] = [
  'running',
  'queued',
  'failed',
  'upstream_failed',
  'cancelled',
  'succeeded',
  'cached',
  'skipped'
];

/** A state as people read it. */
export function word(state: State): string {
  switch (state) {
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'cancelled':
      return trans.__('cancelled');
    case 'skipped':
      return trans.__('skipped');
    case 'cached':
      return trans.__('cached');
    case 'upstream_failed':
      return trans.__('upstream failed');
  }
}

/** `3 succeeded, 1 running`. */
export function tally(states: Partial<Record<State, number>>): string {
  return counted(states)
    .map(([state, count]) => `${count} ${word(state)}`)
    .join(', ');
}

/** The sign of each state in a box of 16: the same strokes as in the pictures that Python draws. */
export const STROKES: Readonly<Record<State, string>> = {
  queued: 'M8 5v3.2l2.2 1.3',
  running: 'M6.4 5l5 3-5 3z',
  succeeded: 'M4.8 8.3l2.2 2.2 4.2-4.6',
  cached: 'M11.2 6.6a3.6 3.6 0 1 0 .3 2.4M11.4 4.4v2.4h-2.4',
  failed: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
  upstream_failed: 'M4.9 11.1l6.2-6.2',
  cancelled: 'M6 6h4v4h-4z',
  skipped: 'M5 8h6'
};

/** A run in one of these goes on by itself. */
export function isLive(state: State): boolean {
  return state === 'queued' || state === 'running';
}

/** A run that is not over, but that nobody drives any more. One that was just made has a moment to find its driver. */
export function isInterrupted(run: RunSummary, now: number): boolean {
  const isNew = run.state === 'queued' && now - Date.parse(run.created_at) < 30_000;
  return isLive(run.state) && !run.is_driven && !isNew;
}

/** The states that occur, with their counts, in the order of `STATES`. */
export function counted(states: Partial<Record<State, number>>): [State, number][] {
  return STATES.flatMap(state =>
    states[state] ? [[state, states[state]!] as [State, number]] : []
  );
}
