/** One task on the canvas: its name, its notebook, how many problems it has, and the dot that lines are drawn from. */
import type { PointerEvent, ReactElement } from 'react';

import type { GraphNode } from '../types';
import type { ITask } from './outline';

export interface ITaskCard {
  node: GraphNode;
  task: ITask | undefined;
  problems: readonly { message: string; severity: string }[];
  isSelected: boolean;
  isTarget: boolean;
  isReadOnly: boolean;
  trans: { __: (text: string, ...values: unknown[]) => string };
  onSelect: () => void;
  onOpen: () => void;
  onThread: (event: PointerEvent) => void;
}

/** See the module. */
export function TaskCard(props: ITaskCard): ReactElement {
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
