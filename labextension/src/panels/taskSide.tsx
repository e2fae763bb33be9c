/** Beside a run: everything about one of its tasks. */
import type { ReactElement } from 'react';
import { trans } from '../language';
import { Ansi } from '../components/ansi';
import { Artifacts } from '../components/artifacts';
import { Fact, Fold, Waiting } from '../components/pieces';
import { StateMark } from '../components/state';
import { Values } from '../components/values';
import { flops, formats, percent } from '../costs/words';
import { duration, elapsed, exactly } from '../format';
import { useQuery } from '../hooks';
import { word } from '../states';
import type { IContext } from '../tokens';
import type { Attempt, Run, TaskError, TaskRun } from '../types';
import { cpuTime, memory } from '../utilization';
import { TaskLog } from './taskLog';

export function TaskSide(props: {
  context: IContext;
  run: Run;
  task: string;
  now: number;
  onClose: () => void;
}): ReactElement {
  const { context, run, now } = props;
  const { api, model, trans } = context;
  const task = run.tasks.find(one => one.task === props.task);
  const more = useQuery(
    model,
    ['task', run.run_id, props.task],
    () => api.task(run.run_id, props.task),
    ['run'],
    run.run_id
  );
  if (!task) {
    return <div className="jp-mlops-muted">{trans.__('This run has no task %1.', props.task)}</div>;
  }
  const attempts = more.value?.attempts ?? [];
  const [bound] = formats(more.value?.flops_at_most ?? {});
  const why = [...new Set(more.value?.why ?? [])];
  return (
    <>
      <div className="jp-mlops-Side-title">
        <StateMark state={task.state} />
        <h2>{task.task}</h2>
        <button
          className="jp-mlops-IconButton"
          aria-label={trans.__('Close')}
          onClick={props.onClose}
        >
          ✕
        </button>
      </div>
      <div className="jp-mlops-muted">{summary(task, now)}</div>
      <Buttons context={context} run={run} task={task} />
      {task.error && <ErrorBox error={task.error} trans={trans} />}
      {more.value && task.reason && !task.error && !why.includes(task.reason) && (
        <p className="jp-mlops-reason">{task.reason}</p>
      )}
      {!more.value && !more.error && <Waiting label={trans.__('Loading')} />}
      {!task.error && why.length > 0 && (
        <Fold title={trans.__('Why')} isOpen>
          <ul className="jp-mlops-Why">
            {why.map(line => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Fold>
      )}
      {(task.state === 'running' || task.attempt > 0) && task.state !== 'cached' && (
        <Fold key={`log-${task.state === 'running'}`} title={trans.__('Log')} isOpen>
          <TaskLog
            key={`${task.task}-${task.attempt}-${task.state === 'running'}`}
            context={context}
            runId={run.run_id}
            task={task.task}
          />
        </Fold>
      )}
      {Object.keys(task.results).length > 0 && (
        <Fold title={trans.__('Results')} isOpen>
          <Values values={task.results} none="" />
        </Fold>
      )}
      {more.value && more.value.artifacts.length > 0 && (
        <Fold title={trans.__('Artifacts')} count={more.value.artifacts.length} isOpen>
          <Artifacts artifacts={more.value.artifacts} />
        </Fold>
      )}
      {Object.keys(task.arguments).length > 0 && (
        <Fold title={trans.__('Arguments')} isOpen>
          <Values values={task.arguments} none="" />
        </Fold>
      )}
      {attempts.length > 1 && (
        <Fold title={trans.__('Attempts')} count={attempts.length}>
          <Attempts attempts={attempts} />
        </Fold>
      )}
      <Fold title={trans.__('Execution')}>
        <dl className="jp-mlops-Facts">
          {task.started_at && <Fact name={trans.__('started')}>{exactly(task.started_at)}</Fact>}
          {task.finished_at && <Fact name={trans.__('finished')}>{exactly(task.finished_at)}</Fact>}
          {task.worker && <Fact name={trans.__('worker')}>{task.worker}</Fact>}
          {!!task.peak_memory_bytes && <Fact name={trans.__('memory, peak')}>{memory(task)}</Fact>}
          {task.cpu_seconds !== null && <Fact name={trans.__('CPU time')}>{cpuTime(task)}</Fact>}
          {bound && (
            <Fact name={trans.__('FLOPS, at most')}>
              {trans.__('%1 in %2', flops(more.value!.flops_at_most[bound]), bound)}
            </Fact>
          )}
          {task.gpu_utilization !== null && (
            <Fact name={trans.__('GPUs busy')}>{percent(task.gpu_utilization)}</Fact>
          )}
          {task.upstream.length > 0 && (
            <Fact name={trans.__('after')}>{task.upstream.join(', ')}</Fact>
          )}
          {task.source_run_id && (
            <Fact name={trans.__('executed in')}>
              <button
                className="jp-mlops-Link"
                onClick={() =>
                  context.open('run', { runId: task.source_run_id!, title: run.pipeline })
                }
              >
                {task.source_run_id}
              </button>
            </Fact>
          )}
        </dl>
      </Fold>
    </>
  );
}

function Buttons(props: { context: IContext; run: Run; task: TaskRun }): ReactElement {
  const { context, run, task } = props;
  const { trans } = context;
  return (
    <div className="jp-mlops-Buttons">
      {task.has_notebook && (
        <button
          className="jp-mlops-Button jp-mod-primary"
          onClick={() => context.open('notebook', { runId: run.run_id, task: task.task })}
        >
          {task.state === 'running' ? trans.__('Notebook so far') : trans.__('Executed notebook')}
        </button>
      )}
      {task.notebook_path && (
        <button className="jp-mlops-Button" onClick={() => context.openFile(task.notebook_path!)}>
          {trans.__('Source')}
        </button>
      )}
      {task.has_notebook && (
        <button
          className="jp-mlops-Button"
          title={trans.__('A link to the executed notebook, for whoever may use this server')}
          onClick={() => {
            const url = new URL(context.api.viewUrl(run.run_id, task.task), window.location.href);
            navigator.clipboard.writeText(url.href).then(
              () => context.say(trans.__('The link is copied.')),
              () => context.say(url.href)
            );
          }}
        >
          {trans.__('Copy link')}
        </button>
      )}
    </div>
  );
}

function ErrorBox({ error, trans }: { error: TaskError; trans: IContext['trans'] }): ReactElement {
  return (
    <div className="jp-mlops-Error" role="alert">
      <div className="jp-mlops-Error-message">
        {error.name && !error.message.includes(error.name) && <strong>{error.name}: </strong>}
        {error.message}
      </div>
      {error.hint && <div className="jp-mlops-hint">{error.hint}</div>}
      {error.cell !== null && !error.message.includes(`cell ${error.cell} `) && (
        <div className="jp-mlops-hint">{trans.__('in cell %1', error.cell)}</div>
      )}
      {error.traceback && (
        <details>
          <summary>{trans.__('Traceback')}</summary>
          <pre className="jp-mlops-Log">
            <Ansi text={error.traceback} />
          </pre>
        </details>
      )}
    </div>
  );
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }): ReactElement {
  return (
    <ul className="jp-mlops-Attempts">
      {attempts.map(attempt => (
        <li key={attempt.attempt}>
          <span className="jp-mlops-number">{attempt.attempt}</span>
          <StateMark state={attempt.state === 'lost' ? 'failed' : attempt.state} />
          <span>{attempt.state === 'lost' ? trans.__('lost') : word(attempt.state)}</span>
          <span className="jp-mlops-number">{duration(attempt.duration_seconds)}</span>
          <span className="jp-mlops-muted">{attempt.error?.message ?? attempt.reason}</span>
        </li>
      ))}
    </ul>
  );
}

/** `running for 12s, cell 3 of 9`, `succeeded in 3.2s, attempt 2`. */
function summary(task: TaskRun, now: number): string {
  const parts = [word(task.state)];
  if (task.state === 'running') {
    parts[0] = trans.__('running for %1', duration(elapsed(task.started_at, null, now)));
    task.cells && parts.push(trans.__('cell %1 of %2', task.cell, task.cells));
  } else if (task.duration_seconds !== null) {
    parts[0] = trans.__('%1 in %2', parts[0], duration(task.duration_seconds));
  }
  task.attempt > 1 && parts.push(trans.__('attempt %1', task.attempt));
  return parts.join(', ');
}
