/**
 * The picture of a pipeline that can be drawn in: tasks to pick, edges to draw and to cut.
 *
 * Tasks stand where the server's layout puts them; a picture has no state of its own but how it is seen. With keys: Tab
 * goes from task to task, Enter picks, Delete takes away; what the mouse draws, the form beside it does as well.
 */
import { type ReactElement, type PointerEvent, useEffect, useRef, useState } from 'react';

import { edgePath } from '../components/dag';
import type { Graph, GraphNode } from '../types';
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
        <Edges {...props} drawn={drawn} />
        {graph.nodes.map(node => (
          <TaskCard
            key={node.id}
            node={node}
            task={props.tasks.get(node.id)}
            problems={props.problems.get(node.id) ?? []}
            isSelected={node.id === selected}
            isTarget={node.id === drawn?.target}
            isReadOnly={props.isReadOnly}
            trans={trans}
            onSelect={() => props.onSelect({ task: node.id })}
            onOpen={() => props.onOpen(node.id)}
            onThread={event => startThread(node.id, event)}
          />
        ))}
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

function Edges(props: ICanvas & { drawn: IThread | null }): ReactElement {
  const { graph, selection, drawn, trans } = props;
  const source = graph.nodes.find(node => node.id === drawn?.source);
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
      {source && drawn && (
        <path
          className={`jp-mlops-Canvas-thread${drawn.target ? ' jp-mod-target' : ''}`}
          d={thread({ x: source.x + source.width, y: source.y + source.height / 2 }, drawn.to)}
        />
      )}
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

function head(points: readonly (readonly number[])[]): string {
  const [x, y] = points[points.length - 1];
  return `M${x - 7} ${y - 4}v8l7-4z`;
}

interface ITaskCard {
  node: GraphNode;
  task: ITask | undefined;
  problems: readonly { message: string; severity: string }[];
  isSelected: boolean;
  isTarget: boolean;
  isReadOnly: boolean;
  trans: ICanvas['trans'];
  onSelect: () => void;
  onOpen: () => void;
  onThread: (event: PointerEvent) => void;
}

function TaskCard(props: ITaskCard): ReactElement {
  const { node, task, problems, trans } = props;
  const isWrong = problems.some(problem => problem.severity !== 'warning');
  const classes = [
    'jp-mlops-Card',
    props.isSelected && 'jp-mod-selected',
    props.isTarget && 'jp-mod-target',
    isWrong && 'jp-mod-wrong',
    node.kind !== 'task' && 'jp-mod-many'
  ];
  const detail = task?.notebook.split('/').pop() ?? '';
  return (
    <div
      className={classes.filter(Boolean).join(' ')}
      style={{ left: node.x, top: node.y, width: node.width, height: node.height }}
      role="button"
      tabIndex={0}
      aria-pressed={props.isSelected}
      aria-label={
        problems.length
          ? trans.__('Task %1, %2 problems', node.id, problems.length)
          : trans.__('Task %1', node.id)
      }
      title={[node.id, task?.description, ...problems.map(problem => `⚠ ${problem.message}`)]
        .filter(Boolean)
        .join('\n')}
      onPointerDown={event => {
        event.stopPropagation();
        props.onSelect();
      }}
      onDoubleClick={props.onOpen}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          props.onSelect();
        }
      }}
    >
      <span className="jp-mlops-Card-name">{node.label}</span>
      <span className="jp-mlops-Card-detail">
        {node.kind !== 'task' && (
          <em>{node.kind === 'matrix' ? trans.__('matrix') : trans.__('map')}</em>
        )}
        {typeof task?.settings.when === 'string' && <em>{trans.__('if')}</em>}
        {detail}
      </span>
      {problems.length > 0 && (
        <span className={`jp-mlops-Card-badge${isWrong ? '' : ' jp-mod-warning'}`} aria-hidden>
          {problems.length > 9 ? '9+' : problems.length}
        </span>
      )}
      {!props.isReadOnly && (
        <span
          className="jp-mlops-Card-port"
          title={trans.__('Draw to the task that comes next')}
          onPointerDown={props.onThread}
        />
      )}
    </div>
  );
}

// --- the window's side ----------------------------------------------------------------------------------

/** The size of an element, as it changes; what is hidden has none. */
function useSize(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize({ width, height });
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return size;
}

/** Wheel and pinch; React's own wheel handler is passive and could not keep the page from zooming. */
function useWheel(
  element: { current: HTMLElement | null },
  onWheel: (factor: number, at: IPoint, by: IPoint) => void
): void {
  const latest = useRef(onWheel);
  latest.current = onWheel;
  useEffect(() => {
    const node = element.current!;
    const handle = (event: WheelEvent): void => {
      event.preventDefault();
      const box = node.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      const isPan = event.shiftKey || (event.deltaX !== 0 && !event.ctrlKey);
      const by = event.deltaMode === 1 ? 16 : 1;
      const factor = isPan ? 1 : Math.exp((-event.deltaY * by) / (event.ctrlKey ? 100 : 400));
      latest.current(factor, at, {
        x: event.deltaX * by || event.deltaY * by,
        y: event.deltaX ? event.deltaY * by : 0
      });
    };
    node.addEventListener('wheel', handle, { passive: false });
    return () => node.removeEventListener('wheel', handle);
  }, []);
}
