/**
 * Break-even as a picture: what a month costs by how much of it a machine is used. A server of one's own costs the same
 * whether it is used or not, a level line; renting costs by the hour, lines that rise. Where they cross, owning begins
 * to be cheaper.
 */
import type { ReactElement } from 'react';
import { scale, ticks } from '../models/plot';
import type { Estimate } from '../types';
import { money, percent } from './words';

const [WIDTH, HEIGHT] = [640, 320];
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 190, 16, 44];
const LABEL = 15;

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** See the module; nothing where there is no server of one's own to compare with. */
export function BreakEvenPlot(props: { cost: Estimate; trans: Trans }): ReactElement | null {
  const { cost, trans } = props;
  const { server, break_evens: rents } = cost;
  if (!server || !rents.length) {
    return null;
  }
  const marks = ticks([0, server.monthly, ...rents.map(each => each.cloud_full)], 5);
  const x = scale([0, 1], [LEFT, WIDTH - RIGHT]);
  const y = scale([marks[0], marks[marks.length - 1]], [HEIGHT - BOTTOM, TOP]);
  const clouds = [...new Set(rents.map(({ place }) => place.replace(/ spot$/, '')))];
  const color = (place: string): number => clouds.indexOf(place.replace(/ spot$/, '')) % 4;
  const names = apart([
    { text: `${server.name} ${money(server.monthly)}`, y: y(server.monthly), kind: 'own' },
    ...rents.map(each => ({
      text:
        each.utilization === null
          ? each.place
          : trans.__('%1: own from %2', each.place, percent(each.utilization)),
      y: y(each.cloud_full),
      kind: `cloud${color(each.place)}`
    }))
  ]);
  const said = rents.map(({ place, utilization }) =>
    utilization === null
      ? trans.__('%1 is always cheaper', place)
      : trans.__('owning is cheaper than %1 from %2 of the time', place, percent(utilization))
  );
  return (
    <figure className="jp-mlops-Plot">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={trans.__('A month of %1, owned or rented: %2', server.name, said.join('; '))}
      >
        {marks.map(mark => (
          <g key={mark} className="jp-mlops-Plot-tick">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(mark)} y2={y(mark)} />
            <text x={LEFT - 6} y={y(mark) + 4} textAnchor="end">
              {money(mark)}
            </text>
          </g>
        ))}
        {[0, 0.25, 0.5, 0.75, 1].map(part => (
          <text
            key={part}
            className="jp-mlops-Plot-name"
            x={x(part)}
            y={HEIGHT - 26}
            textAnchor="middle"
          >
            {percent(part)}
          </text>
        ))}
        <text
          className="jp-mlops-Plot-name"
          x={(LEFT + WIDTH - RIGHT) / 2}
          y={HEIGHT - 8}
          textAnchor="middle"
        >
          {trans.__('of the month in use')}
        </text>
        {cost.load > 0 && cost.load <= 1 && (
          <g className="jp-mlops-Plot-load">
            <line x1={x(cost.load)} x2={x(cost.load)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text x={x(cost.load) + 4} y={TOP + 10} textAnchor="start">
              {trans.__('this pipeline, %1', percent(cost.load))}
            </text>
          </g>
        )}
        {rents.map(each => (
          <line
            key={each.place}
            className={`jp-mlops-Plot-line jp-mod-cloud${color(each.place)}${each.place.endsWith(' spot') ? ' jp-mod-spot' : ''}`}
            x1={x(0)}
            y1={y(0)}
            x2={x(1)}
            y2={y(each.cloud_full)}
          />
        ))}
        <line
          className="jp-mlops-Plot-line jp-mod-own"
          x1={x(0)}
          x2={x(1)}
          y1={y(server.monthly)}
          y2={y(server.monthly)}
        />
        {rents.map(
          ({ place, utilization }) =>
            utilization !== null && (
              <circle
                key={place}
                className="jp-mlops-Plot-cross"
                cx={x(utilization)}
                cy={y(server.monthly)}
                r="4"
              >
                <title>{trans.__('%1: own from %2', place, percent(utilization))}</title>
              </circle>
            )
        )}
        {names.map(name => (
          <text
            key={name.text}
            className={`jp-mlops-Plot-name jp-mod-${name.kind}`}
            x={WIDTH - RIGHT + 8}
            y={name.y + 4}
          >
            {name.text}
          </text>
        ))}
      </svg>
    </figure>
  );
}

interface IName {
  text: string;
  y: number;
  kind: string;
}

/** Names one below the other, each as near to its line as there is room. */
export function apart(names: readonly IName[]): IName[] {
  const sorted = [...names].sort((a, b) => a.y - b.y);
  for (let i = 1; i < sorted.length; i++) {
    sorted[i] = { ...sorted[i], y: Math.max(sorted[i].y, sorted[i - 1].y + LABEL) };
  }
  const over = (sorted[sorted.length - 1]?.y ?? 0) - (HEIGHT - BOTTOM);
  if (over > 0) {
    let most = HEIGHT - BOTTOM;
    for (let i = sorted.length - 1; i >= 0; i--) {
      sorted[i] = { ...sorted[i], y: Math.min(sorted[i].y, most) };
      most = sorted[i].y - LABEL;
    }
  }
  return sorted;
}
