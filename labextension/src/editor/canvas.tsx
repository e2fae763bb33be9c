/**
 * The picture of a pipeline that can be drawn in: tasks to pick, edges to draw and to cut.
 *
 * Tasks stand where the server's layout puts them; a picture has no state of its own but how it is seen. With keys: Tab
 * goes from task to task, Enter picks, Delete takes away; what the mouse draws, the form beside it does as well.
 */
import { type ReactElement, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';

import { edgePath } from '../components/dag';
import type { Graph } from '../types';
import {
  boxAt,
  fit,
  type IPoint,
  type IView,
  middle,
  reveal,
  thread,
  toWorld,
  zoom
} from './geometry';
import type { ITask } from './outline';
import { TaskCard } from './taskCard';
import { useSize, useWheel } from './viewport';

/** What is picked: a task, or the edge between two. */
export type Selection = { task: string } | { source: string; target: string } | null;

export interface ICanvas {
  graph: Graph;
  tasks: ReadonlyMap<string, ITask>;
  /** Of each task, what is wrong with it: one line each. */
  problems: ReadonlyMap<string, readonly { message: string; severity: string }[]>;
  selection: Selection;
  isReadOnly: boolean;
  trans: { __: (text: string, ...values: unknown[]) => string };
  onSelect: (selection: Selection) => void;
  onConnect: (source: string, target: string) => void;
  onRemove: (selection: Selection) => void;
  onOpen: (task: string) => void;
}

interface IThread {
  source: string;
  to: IPoint;
  target: string | null;
}

/** See the module. */
export function Canvas(props: ICanvas): ReactElement {
  const { graph, selection, trans } = props;
  const canvas = useRef<HTMLDivElement>(null);
  const size = useSize(canvas);
  const [view, setView] = useState<IView | null>(null);
  const [drawn, setDrawn] = useState<IThread | null>(null);
  const pan = useRef<{ from: IPoint; view: IView; hasMoved: boolean } | null>(null);
  const seen = view ?? fit(graph, size);
  const selected = selection && 'task' in selection ? selection.task : null;

  useWheel(canvas, (factor, at, by) =>
    setView(factor === 1 ? { ...seen, x: seen.x - by.x, y: seen.y - by.y } : zoom(seen, factor, at))
  );
  useEffect(() => {
    const node = graph.nodes.find(one => one.id === selected);
    if (node && view) {
      setView(reveal(view, node, size));
    }
  }, [selected, graph]);

  const at = (event: PointerEvent): IPoint => {
    const box = canvas.current!.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onDown = (event: PointerEvent): void => {
    if (event.button === 0 || event.button === 1) {
      pan.current = { from: at(event), view: seen, hasMoved: false };
      canvas.current!.setPointerCapture(event.pointerId);
    }
  };
  const onMove = (event: PointerEvent): void => {
    const here = at(event);
    if (drawn) {
      const to = toWorld(seen, here);
      const target = boxAt(graph.nodes, to)?.id ?? null;
      setDrawn({ ...drawn, to, target: target === drawn.source ? null : target });
    } else if (pan.current) {
      const { from, view: start } = pan.current;
      const [x, y] = [here.x - from.x, here.y - from.y];
      pan.current.hasMoved ||= Math.hypot(x, y) > 3;
      if (pan.current.hasMoved) {
        setView({ ...start, x: start.x + x, y: start.y + y });
      }
    }
  };
  const onUp = (): void => {
    if (drawn?.target) {
      props.onConnect(drawn.source, drawn.target);
    } else if (pan.current && !pan.current.hasMoved) {
      props.onSelect(null);
    }
    pan.current = null;
    setDrawn(null);
  };
  const startThread = (source: string, event: PointerEvent): void => {
    event.stopPropagation();
    canvas.current!.setPointerCapture(event.pointerId);
    setDrawn({ source, to: toWorld(seen, at(event)), target: null });
  };
  // Only what is seen moves while somebody pans or draws: hundreds of tasks are drawn again only when they changed.
  const latest = useRef({ props, startThread });
  latest.current = { props, startThread };
  const target = drawn?.target ?? null;
  const world = useMemo(
    () => (
      <>
        <Edges
          {...props}
          onSelect={what => latest.current.props.onSelect(what)}
          onRemove={what => latest.current.props.onRemove(what)}
        />
        {graph.nodes.map(node => (
          <TaskCard
            key={node.id}
            node={node}
            task={props.tasks.get(node.id)}
            problems={props.problems.get(node.id) ?? []}
            isSelected={node.id === selected}
            isTarget={node.id === target}
            isReadOnly={props.isReadOnly}
            trans={trans}
            onSelect={() => latest.current.props.onSelect({ task: node.id })}
            onOpen={() => latest.current.props.onOpen(node.id)}
            onThread={event => latest.current.startThread(node.id, event)}
          />
        ))}
      </>
    ),
    [graph, props.tasks, props.problems, selection, target, props.isReadOnly]
  );
  const center = { x: size.width / 2, y: size.height / 2 };
  return (
    <div
      ref={canvas}
      className={`jp-mlops-Canvas${drawn ? ' jp-mod-drawing' : ''}`}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
      onKeyDown={event => {
        const isDelete = event.key === 'Delete' || event.key === 'Backspace';
        if (isDelete && selection && !props.isReadOnly) {
          event.preventDefault();
          event.stopPropagation();
          props.onRemove(selection);
        }
        if (event.key === 'Escape') {
          setDrawn(null);
          props.onSelect(null);
        }
      }}
    >
      <div
        className="jp-mlops-Canvas-world"
        style={{ transform: `translate(${seen.x}px, ${seen.y}px) scale(${seen.scale})` }}
      >
        {world}
        <Thread graph={graph} drawn={drawn} />
      </div>
      <div className="jp-mlops-Canvas-zoom" onPointerDown={event => event.stopPropagation()}>
        <button
          aria-label={trans.__('Zoom in')}
          title={trans.__('Zoom in')}
          onClick={() => setView(zoom(seen, 1.25, center))}
        >
          +
        </button>
        <button
          aria-label={trans.__('Zoom out')}
          title={trans.__('Zoom out')}
          onClick={() => setView(zoom(seen, 0.8, center))}
        >
          −
        </button>
        <button
          aria-label={trans.__('Show all')}
          title={trans.__('Show all')}
          onClick={() => setView(null)}
        >
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden>
            <path
              d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
            />
          </svg>
        </button>
      </div>
    </div>
  );
}

function Edges(props: ICanvas): ReactElement {
  const { graph, selection, trans } = props;
  const isPicked = (edge: { source: string; target: string }): boolean =>
    !!selection &&
    'source' in selection &&
    selection.source === edge.source &&
    selection.target === edge.target;
  const picked = graph.edges.find(isPicked);
  const cut = picked && middle(picked.points);
  return (
    <svg className="jp-mlops-Canvas-edges" width={graph.width} height={graph.height}>
      {graph.edges.map(edge => (
        <g
          key={`${edge.source}\n${edge.target}`}
          className={`jp-mlops-Canvas-edge jp-mod-${edge.kind}${isPicked(edge) ? ' jp-mod-picked' : ''}`}
          onPointerDown={event => {
            event.stopPropagation();
            props.onSelect({ source: edge.source, target: edge.target });
          }}
        >
          <title>{trans.__('%1 → %2', edge.source, edge.target)}</title>
          <path className="jp-mod-wide" d={edgePath(edge.points, false)} />
          <path d={edgePath(edge.points, false)} />
          <path className="jp-mlops-Canvas-head" d={head(edge.points)} />
        </g>
      ))}
      {cut && picked && !props.isReadOnly && (
        <g
          className="jp-mlops-Canvas-cut"
          role="button"
          aria-label={trans.__('Disconnect %1 from %2', picked.source, picked.target)}
          transform={`translate(${cut.x}, ${cut.y})`}
          onPointerDown={event => {
            event.stopPropagation();
            props.onRemove({ source: picked.source, target: picked.target });
          }}
        >
          <circle r="9" />
          <path d="M-3.2 -3.2L3.2 3.2M3.2 -3.2L-3.2 3.2" />
        </g>
      )}
    </svg>
  );
}

/** The line that is being drawn. */
function Thread({ graph, drawn }: { graph: Graph; drawn: IThread | null }): ReactElement | null {
  const source = drawn && graph.nodes.find(node => node.id === drawn.source);
  if (!source) {
    return null;
  }
  const from = { x: source.x + source.width, y: source.y + source.height / 2 };
  return (
    <svg className="jp-mlops-Canvas-edges" width={graph.width} height={graph.height}>
      <path
        className={`jp-mlops-Canvas-thread${drawn.target ? ' jp-mod-target' : ''}`}
        d={thread(from, drawn.to)}
      />
    </svg>
  );
}

function head(points: readonly (readonly number[])[]): string {
  const [x, y] = points[points.length - 1];
  return `M${x - 7} ${y - 4}v8l7-4z`;
}
