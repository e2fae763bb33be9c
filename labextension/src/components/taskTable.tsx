/** The tasks of a run as a table, in the order of the pipeline. */
import type { ReactElement } from 'react';
import { bytes, duration, elapsed, plain } from '../format';
import { useGrowing } from '../hooks';
import type { Run, TaskRun } from '../types';
import { ofCpus } from '../utilization';
import { StateMark } from './state';

export function TaskTable(props: {
  run: Run;
  now: number;
  selected: string;
  onSelect: (task: string) => void;
  trans: { __(text: string): string };
}): ReactElement {
  const { run, now, trans } = props;
  const shown = useGrowing(run.tasks.length);
  return (
    <table className="jp-mlops-Table">
      <thead>
        <tr>
          <th>{trans.__('Task')}</th>
          <th>{trans.__('State')}</th>
          <th className="jp-mod-number">{trans.__('Time')}</th>
          <th className="jp-mod-number">{trans.__('CPU')}</th>
          <th className="jp-mod-number">{trans.__('Memory')}</th>
          <th>{trans.__('Results')}</th>
        </tr>
      </thead>
      <tbody>
        {run.tasks.slice(0, shown).map(task => (
          <tr
            key={task.task}
            className={task.task === props.selected ? 'jp-mod-selected' : ''}
            onClick={() => props.onSelect(task.task)}
          >
            <td>
              <button className="jp-mlops-Link">{task.task}</button>
            </td>
            <td>
              <StateMark state={task.state} isNamed />
            </td>
            <td className="jp-mod-number">{time(task, now)}</td>
            <td className="jp-mod-number">{ofCpus(task)}</td>
            <td className="jp-mod-number">{bytes(task.peak_memory_bytes || null)}</td>
            <td className="jp-mlops-Table-wide">{results(task)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function time(task: TaskRun, now: number): string {
  return duration(
    task.state === 'running' ? elapsed(task.started_at, null, now) : task.duration_seconds
  );
}

function results(task: TaskRun): string {
  return Object.entries(task.results)
    .map(([name, value]) => `${name} ${plain(value)}`)
    .join(' · ');
}
