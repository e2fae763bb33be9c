/** One feature's values: a histogram or its most frequent texts, the batch before as an outline, and drift. */
import type { ReactElement } from 'react';

import { bars, density, round, scale, short } from '../models/plot';
import type { Drift, FeatureProfile } from '../types';
import { driftLevel, moments, percent } from './words';

type Trans = { __: (text: string, ...values: unknown[]) => string };

export interface IProfileCard {
  profile: FeatureProfile;
  before?: FeatureProfile;
  drift?: Drift;
  trans: Trans;
}

const WIDTH = 280;
const HEIGHT = 96;
const BASE = 78;
const SIDE = 6;
const TOP_ROWS = 6;

/** See the module. */
export function ProfileCard(props: IProfileCard): ReactElement {
  const { profile, before, drift, trans } = props;
  const level = drift ? driftLevel(drift.psi, drift.is_drifted) : 'none';
  return (
    <figure className={`jp-mlops-Profile jp-mod-drift-${level}`} data-feature={profile.name}>
      <figcaption>
        <span className="jp-mlops-name">{profile.name}</span>
        <code>{profile.dtype}</code>
        {drift && drift.psi !== null && (
          <span
            className="jp-mlops-Profile-drift"
            title={trans.__(
              'Against the batch before: population stability index %1, Kolmogorov-Smirnov %2',
              short(drift.psi),
              drift.ks === null ? '–' : short(drift.ks)
            )}
          >
            {level === 'much' ? '▲ ' : level === 'some' ? '△ ' : ''}
            {trans.__('PSI %1', drift.psi.toFixed(2))}
          </span>
        )}
      </figcaption>
      {profile.histogram && profile.histogram.shares.length > 0 ? (
        <Histogram profile={profile} before={before} trans={trans} />
      ) : (
        <Top profile={profile} before={before} trans={trans} />
      )}
      <dl>
        {moments(profile).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{short(value)}</dd>
          </div>
        ))}
        <div className={profile.null_share > 0 ? 'jp-mod-nulls' : ''}>
          <dt>{trans.__('null')}</dt>
          <dd>{percent(profile.null_share)}</dd>
        </div>
      </dl>
    </figure>
  );
}

function Histogram({ profile, before, trans }: Omit<IProfileCard, 'drift'>): ReactElement {
  const now = profile.histogram!;
  const old = before?.histogram;
  const ends = [...now.edges, ...(old?.edges ?? [])];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const x = scale([low, high], [SIDE, WIDTH - SIDE]);
  const highest = Math.max(
    density(now.edges, now.shares),
    old ? density(old.edges, old.shares) : 0
  );
  const bodies = bars(now.edges, now.shares, highest);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={trans.__('Histogram of %1, from %2 to %3', profile.name, short(low), short(high))}
    >
      {bodies.map(({ from, to, height }, i) => {
        const [left, right] = [x(from), x(to)];
        const tall = Math.max(height > 0 ? 1 : 0, height * (BASE - 8));
        return (
          <rect
            key={i}
            className="jp-mlops-Profile-bar"
            x={round(left)}
            y={round(BASE - tall)}
            width={round(Math.max(1, right - left - 1))}
            height={round(tall)}
          >
            <title>{`${short(from)} … ${short(to)}: ${percent(now.shares[i])}`}</title>
          </rect>
        );
      })}
      {old && (
        <path
          className="jp-mlops-Profile-before"
          d={outline(bars(old.edges, old.shares, highest), x)}
        />
      )}
      <line className="jp-mlops-Profile-base" x1={SIDE} x2={WIDTH - SIDE} y1={BASE} y2={BASE} />
      <text x={SIDE} y={HEIGHT - 5}>
        {short(low)}
      </text>
      <text x={WIDTH - SIDE} y={HEIGHT - 5} textAnchor="end">
        {short(high)}
      </text>
    </svg>
  );
}

function outline(bodies: ReturnType<typeof bars>, x: (value: number) => number): string {
  return bodies
    .map(({ from, to, height }, i) => {
      const y = round(BASE - height * (BASE - 8));
      return `${i === 0 ? `M${round(x(from))} ${BASE}` : ''}L${round(x(from))} ${y}L${round(x(to))} ${y}`;
    })
    .concat(bodies.length ? `L${round(x(bodies[bodies.length - 1].to))} ${BASE}` : '')
    .join('');
}

function Top({ profile, before, trans }: Omit<IProfileCard, 'drift'>): ReactElement {
  const shown = profile.top.slice(0, TOP_ROWS);
  if (shown.length === 0) {
    return <p className="jp-mlops-muted">{trans.__('No values to show')}</p>;
  }
  const old = new Map(before?.top.map(({ value, share }) => [value, share]));
  const most = Math.max(
    ...shown.map(({ share }) => share),
    ...shown.map(({ value }) => old.get(value) ?? 0)
  );
  return (
    <ul className="jp-mlops-Profile-top">
      {shown.map(({ value, share }) => (
        <li
          key={value}
          title={`${value}: ${percent(share)}${old.has(value) ? `, ${trans.__('before: %1', percent(old.get(value)!))}` : ''}`}
        >
          <span>{value === '' ? trans.__('(empty)') : value}</span>
          <span className="jp-mlops-Profile-track">
            <span style={{ width: `${(share / most) * 100}%` }} />
            {old.has(value) && <i style={{ left: `${(old.get(value)! / most) * 100}%` }} />}
          </span>
          <span className="jp-mlops-number">{percent(share)}</span>
        </li>
      ))}
      {profile.top.length > TOP_ROWS && (
        <li className="jp-mlops-muted">{trans.__('and %1 more', profile.top.length - TOP_ROWS)}</li>
      )}
    </ul>
  );
}
