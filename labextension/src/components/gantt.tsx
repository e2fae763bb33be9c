/** When each task of a run ran: a row for each, in the order of their starts; the critical path stands out. */
import type { ReactElement } from 'react';
import { duration, elapsed } from '../format';
import { useGrowing } from '../hooks';
import { trans } from '../language';
import { word } from '../states';
import type { Run, TaskRun } from '../types';
import { StateMark } from './state';

export interface IBar {
  readonly task: TaskRun;
  /** Where it begins and how long it is, as shares of the whole. */
  readonly left: number;
  readonly width: number;
  readonly seconds: number;
}

/** The bars of the tasks that ran, and how many seconds the whole takes. */
export function bars(run: Run, now: number): { bars: IBar[]; seconds: number } {
  const ran = run.tasks.filter(task => task.started_at !== null && task.state !== 'cached');
  if (!ran.length) {
    return { bars: [], seconds: 0 };
  }
  const begin = Math.min(...ran.map(task => Date.parse(task.started_at!)));
  const ends = ran.map(task => (task.finished_at ? Date.parse(task.finished_at) : now));
  const seconds = Math.max(0.001, (Math.max(...ends) - begin) / 1000);
  const made = ran.map(task => {
    const took = elapsed(task.started_at, task.finished_at, now) ?? 0;
    const left = (Date.parse(task.started_at!) - begin) / 1000;
    return { task, left: left / seconds, width: took / seconds, seconds: took };
  });
  return {
    bars: made.sort((a, b) => a.left - b.left || a.task.position - b.task.position),
    seconds
  };
}

/** Round times for an axis: at most `most`, the first is 0. */
export function ticks(seconds: number, most = 6): number[] {
  const steps = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200
  ];
  const step =
    steps.find(one => seconds / one <= most) ?? 86_400 * Math.ceil(seconds / 86_400 / most);
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

export function Gantt(props: {
  run: Run;
  now: number;
  selected: string;
  onSelect: (task: string) => void;
}): ReactElement {
  const { run } = props;
  const { bars: rows, seconds } = bars(run, props.now);
  const isOver = run.finished_at !== null;
  const shown = useGrowing(run.tasks.length);
  const rest = run.tasks.filter(task => !rows.some(row => row.task === task));
  return (
    <div className="jp-mlops-Gantt">
      {rows.length > 0 && (
        <div className="jp-mlops-Gantt-axis" aria-hidden="true">
          <span />
          <div>
            {ticks(seconds).map(tick => (
              <span key={tick} style={{ left: `${(tick / seconds) * 100}%` }}>
                {tick ? duration(tick).replace('.0s', 's') : '0'}
              </span>
            ))}
          </div>
        </div>
      )}
      {rows.slice(0, shown).map(({ task, left, width, seconds: took }) => {
        const isCritical = isOver && task.is_critical;
        const said = `${task.task}: ${word(task.state)}, ${duration(took)}`;
        return (
          <button
            key={task.task}
            className={`jp-mlops-Gantt-row${task.task === props.selected ? ' jp-mod-selected' : ''}`}
            aria-label={isCritical ? trans.__('%1, on the critical path', said) : said}
            title={said}
            onClick={() => props.onSelect(task.task)}
          >
            <span className="jp-mlops-Gantt-name">
              <StateMark state={task.state} />
              <span>{task.task}</span>
            </span>
            <span className="jp-mlops-Gantt-track">
              {ticks(seconds).map(tick => (
                <i key={tick} style={{ left: `${(tick / seconds) * 100}%` }} />
              ))}
              <span
                className={`jp-mlops-Gantt-bar jp-mod-${task.state}${isCritical ? ' jp-mod-critical' : ''}`}
                style={{ left: `${left * 100}%`, width: `max(3px, ${width * 100}%)` }}
              />
              <span
                className={`jp-mlops-Gantt-time${left + width > 0.85 ? ' jp-mod-before' : ''}`}
                style={
                  left + width > 0.85
                    ? { right: `${(1 - left) * 100}%` }
                    : { left: `${(left + width) * 100}%` }
                }
              >
                {duration(took)}
              </span>
            </span>
          </button>
        );
      })}
      {rest.slice(0, Math.max(0, shown - rows.length)).map(task => (
        <button
          key={task.task}
          className={`jp-mlops-Gantt-row${task.task === props.selected ? ' jp-mod-selected' : ''}`}
          onClick={() => props.onSelect(task.task)}
        >
          <span className="jp-mlops-Gantt-name">
            <StateMark state={task.state} />
            <span>{task.task}</span>
          </span>
          <span className="jp-mlops-Gantt-none">{word(task.state)}</span>
        </button>
      ))}
      {isOver && rows.length > 1 && (
        <div className="jp-mlops-Gantt-legend">
          <span className="jp-mlops-Gantt-key" />{' '}
          {trans.__('critical path: %1', run.critical_path.join(' → '))}
        </div>
      )}
    </div>
  );
}
