/** One metric across the versions of a model: a line, a point for each version, aliases as flags. */
import type { ReactElement } from 'react';

import { labels, line, scale, short, ticks } from './plot';

export interface IPoint {
  version: number;
  value: number | null;
  aliases: readonly string[];
}

export interface IMetricChart {
  name: string;
  /** In the order of versions. */
  points: readonly IPoint[];
  selected: readonly number[];
  trans: { __: (text: string, ...values: unknown[]) => string };
  onSelect: (version: number) => void;
}

const WIDTH = 300;
const HEIGHT = 136;
const LEFT = 44;
const RIGHT = 14;
const TOP = 20;
const BOTTOM = 26;

/** See the module. */
export function MetricChart(props: IMetricChart): ReactElement {
  const { points, selected, trans } = props;
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const marks = ticks(values);
  const names = labels(marks);
  const x = scale(
    [points[0]?.version ?? 0, points[points.length - 1]?.version ?? 1],
    [LEFT + 8, WIDTH - RIGHT]
  );
  const y = scale([marks[0], marks[marks.length - 1]], [HEIGHT - BOTTOM, TOP]);
  const last = points[points.length - 1];
  const shown = points.filter(({ value }) => value !== null);
  const falls = new Map(
    shown.map(({ version, value }, i) => [version, i > 0 && value! < shown[i - 1].value!])
  );
  const said = shown
    .map(({ version, value }) => trans.__('version %1: %2', version, short(value!)))
    .join(', ');
  return (
    <figure className="jp-mlops-Chart">
      <figcaption>
        <span>{props.name}</span>
        {last?.value !== null && last !== undefined && <strong>{short(last.value)}</strong>}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${props.name}: ${said}`}>
        {marks.map((mark, i) => (
          <g key={mark} className="jp-mlops-Chart-tick">
            <line x1={LEFT} x2={WIDTH - RIGHT + 6} y1={y(mark)} y2={y(mark)} />
            <text x={LEFT - 6} y={y(mark) + 3.5} textAnchor="end">
              {names[i]}
            </text>
          </g>
        ))}
        <path
          className="jp-mlops-Chart-line"
          d={line(
            points.map(
              ({ version, value }) => [x(version), value === null ? null : y(value)] as const
            )
          )}
        />
        {versionMarks(
          points.map(({ version }) => version),
          selected
        ).map(version => (
          <text
            key={version}
            className="jp-mlops-Chart-version"
            x={x(version)}
            y={HEIGHT - 6}
            textAnchor="middle"
          >
            {`v${version}`}
          </text>
        ))}
        {shown.map(({ version, value, aliases }) => (
          <g
            key={version}
            className={`jp-mlops-Chart-point${selected.includes(version) ? ' jp-mod-selected' : ''}${aliases.length ? ' jp-mod-alias' : ''}`}
            onClick={() => props.onSelect(version)}
          >
            <title>{[trans.__('version %1: %2', version, value), ...aliases].join('\n')}</title>
            <circle className="jp-mod-wide" cx={x(version)} cy={y(value!)} r="10" />
            <circle cx={x(version)} cy={y(value!)} r={selected.includes(version) ? 5 : 3.5} />
            {aliases.length > 0 && (
              <text {...flag(x(version), y(value!), falls.get(version) ?? false)}>
                {aliases[0] + (aliases.length > 1 ? ` +${aliases.length - 1}` : '')}
              </text>
            )}
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** Where the name of an alias stands: above its point, and beside the line where that comes down from above. */
function flag(
  x: number,
  y: number,
  isFalling: boolean
): { x: number; y: number; textAnchor: 'start' | 'middle' | 'end' } {
  if (x > WIDTH - 60) {
    return { x: x + 5, y: isFalling ? y + 15 : y - 9, textAnchor: 'end' };
  }
  return {
    x: isFalling ? x + 2 : x,
    y: y - 9,
    textAnchor: isFalling || x < LEFT + 40 ? 'start' : 'middle'
  };
}

/** The versions that are named below the chart: the first, the last, the picked ones, where there is room. */
export function versionMarks(versions: readonly number[], selected: readonly number[]): number[] {
  if (versions.length <= 8) {
    return [...versions];
  }
  const wanted = [
    versions[0],
    versions[versions.length - 1],
    ...selected.filter(one => versions.includes(one))
  ];
  const room = (versions[versions.length - 1] - versions[0]) / 8;
  const kept: number[] = [];
  for (const one of wanted) {
    if (kept.every(other => Math.abs(other - one) >= room)) {
      kept.push(one);
    }
  }
  return kept.sort((a, b) => a - b);
}
