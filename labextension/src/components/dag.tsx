/**
 * The picture of a DAG, at the places that the server gives.
 *
 * It is one SVG with a `viewBox`: it fits by itself, needs no measuring, and can be drawn while it is hidden. Each task
 * is drawn again only when something about it changed, so that a graph of hundreds stays quick while it runs.
 */
import { type KeyboardEvent, type ReactElement, memo } from 'react';
import { shorten } from '../format';
import { useGrowing } from '../hooks';
import { word } from '../states';
import type { Direction, Graph, GraphEdge, GraphNode, State } from '../types';
import { StateSign } from './state';

/** What is told of a task in the picture, by its id. */
export interface IDagTask {
  readonly state: State | null;
  /** One short line: `3.2s`, `cell 4/9`. */
  readonly detail: string;
  readonly isCritical?: boolean;
  /** How many things are wrong with it. */
  readonly problems?: number;
}

export interface IDagProps {
  readonly graph: Graph;
  readonly label: string;
  readonly tasks?: ReadonlyMap<string, IDagTask>;
  readonly selected?: string;
  readonly onSelect?: (id: string) => void;
  /** How small the picture may become before it scrolls, as a share of its natural size. */
  readonly leastScale?: number;
  /** It is drawn small, as in the sidebar: what is written in it must be larger. */
  readonly isSmall?: boolean;
}

export function Dag(props: IDagProps): ReactElement {
  const { graph, tasks, selected, onSelect } = props;
  // Of a large graph a part with every frame, from its beginning.
  const shown = useGrowing(graph.nodes.length);
  const edges = Math.ceil((graph.edges.length * shown) / Math.max(1, graph.nodes.length));
  const running = new Set<string>();
  tasks?.forEach((task, id) => task.state === 'running' && running.add(id));
  return (
    <div className={`jp-mlops-Dag${props.isSmall ? ' jp-mod-small' : ''}`}>
      <svg
        viewBox={`0 0 ${graph.width} ${graph.height}`}
        style={{
          maxWidth: graph.width,
          minWidth: Math.round(graph.width * (props.leastScale ?? 0.6))
        }}
        role="group"
        aria-label={props.label}
      >
        {graph.edges.slice(0, edges).map(edge => (
          <Edge
            key={`${edge.source}→${edge.target}`}
            edge={edge}
            isDown={graph.direction === 'down'}
            isActive={running.has(edge.target)}
            isNear={selected === edge.source || selected === edge.target}
          />
        ))}
        {graph.nodes.slice(0, shown).map(node => {
          const task = tasks?.get(node.id);
          return (
            <Node
              key={node.id}
              node={node}
              state={task?.state ?? null}
              detail={task?.detail ?? ''}
              isCritical={task?.isCritical ?? false}
              problems={task?.problems ?? 0}
              isSelected={selected === node.id}
              isSmall={props.isSmall ?? false}
              onSelect={onSelect}
            />
          );
        })}
      </svg>
    </div>
  );
}

const Node = memo(function Node(props: {
  node: GraphNode;
  state: State | null;
  detail: string;
  isCritical: boolean;
  problems: number;
  isSelected: boolean;
  isSmall: boolean;
  onSelect?: (id: string) => void;
}): ReactElement {
  const { node, state, onSelect } = props;
  const widths = props.isSmall ? { label: 9.4, detail: 7.8 } : { label: 7.6, detail: 6.2 };
  // The sign tells the state; its word stands where there is nothing better to say.
  const second = props.detail || (state && state !== 'queued' ? word(state) : '');
  const said = [node.label, state && word(state), props.detail].filter(Boolean).join(', ');
  const left = state ? 35 : 14;
  const room = node.width - left - 8;
  const classes = [
    'jp-mlops-Dag-node',
    state ? `jp-mod-${state}` : 'jp-mod-plain',
    `jp-mod-${node.kind}`,
    props.isSelected ? 'jp-mod-selected' : '',
    props.isCritical ? 'jp-mod-critical' : '',
    props.problems ? 'jp-mod-wrong' : ''
  ];
  const select = onSelect && (() => onSelect(node.id));
  return (
    <g
      className={classes.filter(Boolean).join(' ')}
      data-task={node.id}
      transform={`translate(${node.x} ${node.y})`}
      role={select ? 'button' : 'img'}
      tabIndex={select ? 0 : undefined}
      aria-label={said}
      aria-pressed={select ? props.isSelected : undefined}
      onClick={select}
      onKeyDown={(event: KeyboardEvent) => {
        if (select && (event.key === 'Enter' || event.key === ' ')) {
          event.preventDefault();
          select();
        }
      }}
    >
      <title>{said}</title>
      {node.kind !== 'task' && (
        <rect
          className="jp-mlops-Dag-stack"
          x="4"
          y="4"
          width={node.width}
          height={node.height}
          rx="8"
        />
      )}
      <rect className="jp-mlops-Dag-box" width={node.width} height={node.height} rx="8" />
      {state && (
        <g
          className="jp-mlops-State"
          transform={`translate(10 ${node.height / 2 - 9}) scale(1.125)`}
        >
          <StateSign state={state} />
        </g>
      )}
      <text className="jp-mlops-Dag-label" x={left} y={second ? 20.5 : node.height / 2 + 5}>
        {shorten(node.label, Math.floor(room / widths.label))}
      </text>
      {second && (
        <text className="jp-mlops-Dag-detail" x={left} y="36.5">
          {shorten(second, Math.floor(room / widths.detail))}
        </text>
      )}
      {props.problems > 0 && (
        <g className="jp-mlops-Dag-badge" transform={`translate(${node.width - 2} 2)`}>
          <circle r="8" />
          <text y="3.5">{props.problems}</text>
        </g>
      )}
    </g>
  );
});

const Edge = memo(function Edge(props: {
  edge: GraphEdge;
  isDown: boolean;
  isActive: boolean;
  isNear: boolean;
}): ReactElement {
  const { edge } = props;
  const classes = [
    'jp-mlops-Dag-edge',
    `jp-mod-${edge.kind}`,
    props.isActive ? 'jp-mod-active' : '',
    props.isNear ? 'jp-mod-near' : ''
  ];
  const [x, y] = edge.points[edge.points.length - 1];
  return (
    <g className={classes.filter(Boolean).join(' ')}>
      <title>{`${edge.source} → ${edge.target}`}</title>
      <path d={edgePath(edge.points, props.isDown)} />
      <path
        className="jp-mlops-Dag-head"
        d={props.isDown ? `M${x - 4} ${y - 7}h8l-4 7z` : `M${x - 7} ${y - 4}v8l7-4z`}
      />
    </g>
  );
});

/** The way to draw a graph that is given from left to right: downward where it would not fit, but then would. */
export function bestDirection(graph: Graph, room: number): Direction {
  const columns = new Map<number, number>();
  graph.nodes.forEach(({ x }) => columns.set(x, (columns.get(x) ?? 0) + 1));
  const widest = Math.max(0, ...columns.values());
  const node = Math.max(0, ...graph.nodes.map(({ width }) => width));
  const isTight = room > 0 && graph.width * 0.85 > room;
  return isTight && widest * (node + 20) < graph.width ? 'down' : 'right';
}

/**
 * A smooth path through the points of an edge: they come in pairs, out of one layer and into the next; within a layer it
 * runs straight. It ends where the arrow's head begins.
 */
export function edgePath(points: readonly (readonly number[])[], isDown: boolean): string {
  const [first, ...rest] = points;
  const parts = [`M${first[0]} ${first[1]}`];
  let [x, y] = first;
  rest.forEach(([toX, toY], index) => {
    if (index === rest.length - 1) {
      [toX, toY] = isDown ? [toX, toY - 6] : [toX - 6, toY];
    }
    if (index % 2) {
      parts.push(`L${toX} ${toY}`); // through the layer
    } else if (isDown) {
      const middle = (y + toY) / 2;
      parts.push(`C${x} ${middle} ${toX} ${middle} ${toX} ${toY}`);
    } else {
      const middle = (x + toX) / 2;
      parts.push(`C${middle} ${y} ${middle} ${toY} ${toX} ${toY}`);
    }
    [x, y] = [toX, toY];
  });
  return parts.join('');
}
