/** What features say of themselves, for readers. Pure. */
import { type ILanguage, trans } from '../language';
import type { FeatureProfile, FeatureView } from '../types';

export type Freshness = 'fresh' | 'stale' | 'none' | 'always';

/** Whether a view's values are newer than its ttl allows; one that is computed or pushed has no such thing. */
export function freshness(view: FeatureView): Freshness {
  if (view.kind === 'on_demand') {
    return 'always';
  }
  if (view.freshness_seconds === null) {
    return 'none';
  }
  return view.ttl_seconds !== null && view.freshness_seconds > view.ttl_seconds ? 'stale' : 'fresh';
}

/** The signs of freshness: strokes in a box of 16, so that color is not all there is. */
export const FRESH_STROKES: Readonly<Record<Freshness, string>> = {
  fresh: 'M4.8 8.3l2.2 2.2 4.2-4.6',
  stale: 'M8 4.5v3.8l2.5 1.5',
  none: 'M5 8h6',
  always: 'M5.2 9.6a2 2 0 1 1 0-3.2c1 .6 4.6 2.6 5.6 3.2a2 2 0 1 0 0-3.2'
};

/** How old its values are, in words; those of a forecast, which are known into the future, are new. */
export function age(view: FeatureView, trans: Pick<ILanguage, '__'>): string {
  switch (freshness(view)) {
    case 'always':
      return trans.__('when asked');
    case 'none':
      return trans.__('not materialized');
    default:
      return trans.__('%1 old', coarse(Math.max(0, view.freshness_seconds ?? 0)));
  }
}

/** A duration in one word: freshness is no stopwatch. */
export function coarse(seconds: number): string {
  const units: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min']
  ];
  const [size, word] = units.find(([one]) => seconds >= one * 0.99) ?? [1, 's'];
  return `${Math.round(seconds / size)} ${word}`;
}

/** What limits drift: PSI from 0.1 on is worth a look, from 0.2 on it is drift (as in `features/profiles.py`). */
export function driftLevel(psi: number | null, isDrifted: boolean): 'none' | 'some' | 'much' {
  return isDrifted ? 'much' : psi !== null && psi >= 0.1 ? 'some' : 'none';
}

/** The moments of a profile, as far as it has them. */
export function moments(profile: FeatureProfile): [string, number][] {
  const all: [string, number | null][] = [
    [trans.__('mean'), profile.mean],
    [trans.__('stddev'), profile.stddev],
    [trans.__('min'), profile.minimum],
    [trans.__('max'), profile.maximum]
  ];
  return all.filter((one): one is [string, number] => one[1] !== null);
}

/** `12 %`, `0.3 %`, `0`. */
export function percent(share: number): string {
  const value = share * 100;
  return value === 0
    ? '0'
    : `${value < 1 ? Number(value.toPrecision(1)) : value < 10 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}
