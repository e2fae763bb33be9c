/** Two runs side by side: what differs stands out, what is the same stays quiet. Pure. */
import type { ReactElement } from 'react';
import { brief, duration, plain } from '../format';
import type { RunComparison, State } from '../types';
import { Fold } from './pieces';
import { StateMark } from './state';

type ComparedTask = RunComparison['tasks'][number];
type ComparedValue = RunComparison['arguments'][number];
type ComparedCell = NonNullable<RunComparison['notebook']>['cells'][number];

export interface ICompareLabels {
  readonly arguments: string;
  readonly tasks: string;
  readonly left: string;
  readonly right: string;
  readonly same: string;
  readonly notebook: string;
  readonly name: string;
  readonly showNotebook: string;
}

export function Comparison(props: {
  comparison: RunComparison;
  task: string;
  labels: ICompareLabels;
  onTask: (task: string) => void;
}): ReactElement {
  const { comparison, labels } = props;
  return (
    <div className="jp-mlops-Compare">
      <Fold
        title={labels.arguments}
        count={comparison.arguments.filter(one => !one.is_same).length}
        isOpen
      >
        <ValueTable values={comparison.arguments} labels={labels} />
      </Fold>
      <Fold title={labels.tasks} count={comparison.tasks.length} isOpen>
        {comparison.tasks.map(task => (
          <TaskDifference
            key={task.task}
            task={task}
            labels={labels}
            isChosen={props.task === task.task}
            cells={props.task === task.task ? (comparison.notebook?.cells ?? null) : null}
            onTask={props.onTask}
          />
        ))}
      </Fold>
    </div>
  );
}

function TaskDifference(props: {
  task: ComparedTask;
  labels: ICompareLabels;
  isChosen: boolean;
  cells: readonly ComparedCell[] | null;
  onTask: (task: string) => void;
}): ReactElement {
  const { task, labels } = props;
  const values = [
    ...task.arguments,
    ...task.results,
    ...task.artifacts.filter(one => !one.is_same)
  ];
  const why = [...new Set(task.why)].filter(line => !line.startsWith('argument ')); // those stand above
  const hasNotebooks = [task.left_state, task.right_state].every(ran) && !task.is_same_notebook;
  return (
    <section className="jp-mlops-Compare-task" data-task={task.task}>
      <div className="jp-mlops-Compare-row jp-mod-title">
        <span className="jp-mlops-name">{task.task}</span>
        <Side state={task.left_state} seconds={task.left_seconds} />
        <Side state={task.right_state} seconds={task.right_seconds} />
      </div>
      {values.length > 0 && <ValueTable values={values} labels={labels} />}
      {why.length > 0 && (
        <ul className="jp-mlops-Why">
          {why.map(line => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {hasNotebooks && (
        <button
          className="jp-mlops-Button jp-mod-quiet jp-mlops-Compare-show"
          aria-expanded={props.isChosen}
          onClick={() => props.onTask(props.isChosen ? '' : task.task)}
        >
          {labels.showNotebook}
        </button>
      )}
      {props.cells && <Cells cells={props.cells} labels={labels} />}
    </section>
  );
}

/** There is an executed notebook of it. */
function ran(state: string | null): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cached';
}

function Side({ state, seconds }: { state: string | null; seconds: number | null }): ReactElement {
  if (state === null) {
    return <span className="jp-mlops-muted">–</span>;
  }
  return (
    <span className="jp-mlops-Compare-side">
      <StateMark state={state as State} isNamed />
      <span className="jp-mlops-number jp-mlops-muted">{duration(seconds)}</span>
    </span>
  );
}

function ValueTable(props: {
  values: readonly ComparedValue[];
  labels: ICompareLabels;
}): ReactElement {
  return (
    <div role="table">
      {props.values.map((value, index) => (
        <div
          role="row"
          key={index}
          className={`jp-mlops-Compare-row${value.is_same ? '' : ' jp-mod-differs'}`}
        >
          <span role="rowheader" title={value.name}>
            {value.name}
          </span>
          <span role="cell" title={plain(value.left)}>
            {brief(value.left ?? '–')}
          </span>
          <span role="cell" title={plain(value.right)}>
            {brief(value.right ?? '–')}
            {change(value.left, value.right)}
          </span>
        </div>
      ))}
    </div>
  );
}

/** By how much a number has changed. */
function change(left: unknown, right: unknown): ReactElement | null {
  if (typeof left !== 'number' || typeof right !== 'number' || left === right) {
    return null;
  }
  const by = right - left;
  return (
    <span className="jp-mlops-Compare-change">
      {by > 0 ? '+' : '−'}
      {plain(Math.abs(by))}
    </span>
  );
}

function Cells(props: { cells: readonly ComparedCell[]; labels: ICompareLabels }): ReactElement {
  if (!props.cells.length) {
    return <div className="jp-mlops-muted">{props.labels.same}</div>;
  }
  return (
    <>
      {props.cells.map((cell, index) => (
        <div key={index} className="jp-mlops-Compare-cell">
          <div className="jp-mlops-muted">
            {cell.cell_type} {cell.left ?? '–'} → {cell.right ?? '–'} · {cell.kind}
          </div>
          {cell.source.length > 0 && <Diff lines={cell.source} />}
          {cell.outputs.length > 0 && <Diff lines={cell.outputs} />}
        </div>
      ))}
    </>
  );
}

function Diff({ lines }: { lines: readonly string[] }): ReactElement {
  return (
    <pre className="jp-mlops-Log jp-mlops-Diff">
      {lines.map((line, index) => (
        <span
          key={index}
          className={
            line.startsWith('+') ? 'jp-mod-added' : line.startsWith('-') ? 'jp-mod-removed' : ''
          }
        >
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
