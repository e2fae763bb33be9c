/** A run in the history: what, how it stands, when, by whom. */
import type { ReactElement } from 'react';
import { trans } from '../language';
import { ago, duration, elapsed, exactly } from '../format';
import { isInterrupted, isLive, tally } from '../states';
import type { RunSummary } from '../types';
import { StateBar, StateMark } from './state';

export function RunRow(props: {
  run: RunSummary;
  now: number;
  onOpen: (run: RunSummary) => void;
}): ReactElement {
  const { run, now } = props;
  const live = isLive(run.state);
  const seconds = live ? elapsed(run.started_at, null, now) : run.duration_seconds;
  const tasks = tally(run.task_states);
  return (
    <li className="jp-mlops-Row" data-run={run.run_id}>
      <button
        className="jp-mlops-Row-main"
        title={`${run.run_id}\n${exactly(run.created_at)}\n${tasks}${run.message ? `\n${run.message}` : ''}`}
        onClick={() => props.onOpen(run)}
      >
        <span className="jp-mlops-Row-first">
          <StateMark state={run.state} />
          <span className="jp-mlops-name">{run.pipeline}</span>
          <span className="jp-mlops-Row-when">{ago(run.created_at, now)}</span>
        </span>
        <span className="jp-mlops-Row-second jp-mod-indented">
          <StateBar states={run.task_states} />
          <span className="jp-mlops-Row-when">
            {isInterrupted(run, now) ? trans.__('interrupted') : duration(seconds)}
          </span>
        </span>
        {run.state === 'queued' && run.message && (
          <span className="jp-mlops-Row-second jp-mlops-Row-waits jp-mod-indented">
            <span className="jp-mlops-muted jp-mlops-Row-text">{run.message}</span>
          </span>
        )}
      </button>
    </li>
  );
}
