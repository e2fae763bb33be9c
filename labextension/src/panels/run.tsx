/** The tab of a run: its graph, its timeline or its tasks, live; beside it what is known of the task that was clicked. */
import { type ReactElement, useMemo, useState } from 'react';
import { Dag, bestDirection } from '../components/dag';
import { Gantt } from '../components/gantt';
import { Failure, Waiting } from '../components/pieces';
import { StateBar, StateMark } from '../components/state';
import { TaskTable } from '../components/taskTable';
import { ago, duration, elapsed, exactly } from '../format';
import { useNow, useQuery, useWidth } from '../hooks';
import { isInterrupted, isLive, word } from '../states';
import { byKey, foremost } from '../tasks';
import { EDITOR, type Args, type IContext } from '../tokens';
import type { Run, RunSummary } from '../types';
import { Banner } from './frame';
import { RunSide } from './runSide';
import { TaskSide } from './taskSide';

export function create(context: IContext, args: Args): ReactElement {
  return <RunTab context={context} runId={args.runId} task={args.task} />;
}

type View = 'graph' | 'timeline' | 'tasks';

function RunTab(props: { context: IContext; runId: string; task?: string }): ReactElement {
  const { context, runId } = props;
  const { api, model, trans } = context;
  const query = useQuery(model, ['run', runId], () => api.run(runId), ['run'], runId);
  const run = query.value;
  const now = useNow(run ? isLive(run.state) : false);
  const [view, setView] = useState<View>('graph');
  const [chosen, setChosen] = useState<string | null>(props.task ?? null);
  if (!run) {
    return query.error ? (
      <Failure error={query.error} onRetry={query.refresh} retry={trans.__('Try again')} />
    ) : (
      <Waiting label={trans.__('Loading the run')} />
    );
  }
  const selected = chosen ?? foremost(run);
  const select = (task: string): void => setChosen(task === selected ? '' : task);
  const views: [View, string][] = [
    ['graph', trans.__('Graph')],
    ['timeline', trans.__('Timeline')],
    ['tasks', trans.__('Tasks')]
  ];
  return (
    <div className="jp-mlops-Run">
      <Banner model={model} trans={trans} />
      <Header context={context} run={run} now={now} onChanged={query.refresh} />
      <div className="jp-mlops-Run-body">
        <div className="jp-mlops-Run-main">
          <div className="jp-mlops-Switch" role="tablist" aria-label={trans.__('View')}>
            {views.map(([id, label]) => (
              <button key={id} role="tab" aria-selected={view === id} onClick={() => setView(id)}>
                {label}
              </button>
            ))}
          </div>
          {view === 'graph' && (
            <RunDag context={context} run={run} now={now} selected={selected} onSelect={select} />
          )}
          {view === 'timeline' && (
            <Gantt run={run} now={now} selected={selected} onSelect={select} />
          )}
          {view === 'tasks' && (
            <TaskTable run={run} now={now} selected={selected} onSelect={select} trans={trans} />
          )}
        </div>
        <aside className="jp-mlops-Run-side" aria-label={trans.__('Details')}>
          {selected ? (
            <TaskSide
              key={selected}
              context={context}
              run={run}
              task={selected}
              now={now}
              onClose={() => setChosen('')}
            />
          ) : (
            <RunSide context={context} run={run} />
          )}
        </aside>
      </div>
    </div>
  );
}

function RunDag(props: {
  context: IContext;
  run: Run;
  now: number;
  selected: string;
  onSelect: (task: string) => void;
}): ReactElement {
  const { run, now } = props;
  const { api, model } = props.context;
  const [ref, width] = useWidth();
  const direction = bestDirection(run.graph, width);
  // A run's graph does not change while it runs, but for tasks that are mapped over what comes out.
  const down = useQuery(
    model,
    [run.run_id, direction, run.graph.nodes.length],
    async () => (direction === 'down' ? (await api.run(run.run_id, 'down')).graph : null),
    ['none']
  );
  // What is drawn changes with the run, and once a second while something runs: not with every click.
  const tasks = useMemo(() => byKey(run, now), [run, isLive(run.state) ? now : 0]);
  return (
    <div ref={ref}>
      <Dag
        graph={(direction === 'down' && down.value) || run.graph}
        label={run.pipeline}
        tasks={tasks}
        selected={props.selected}
        onSelect={props.onSelect}
      />
    </div>
  );
}

function Header(props: {
  context: IContext;
  run: Run;
  now: number;
  onChanged: () => void;
}): ReactElement {
  const { context, run, now } = props;
  const { api, trans } = context;
  const [isBusy, setBusy] = useState(false);
  const live = isLive(run.state);
  const isLost = isInterrupted(run, now);
  const hasFailed = run.state === 'failed' || run.state === 'cancelled';

  const act = async (request: () => Promise<RunSummary>): Promise<void> => {
    setBusy(true);
    try {
      const answer = await request();
      if (answer.run_id !== run.run_id) {
        context.open('run', { runId: answer.run_id, title: answer.pipeline });
      }
      props.onChanged();
    } catch (error) {
      context.report(error);
    } finally {
      setBusy(false);
    }
  };
  const button = (label: string, request: () => Promise<RunSummary>, kind = ''): ReactElement => (
    <button
      className={`jp-mlops-Button ${kind}`}
      disabled={isBusy}
      onClick={() => void act(request)}
    >
      {label}
    </button>
  );

  return (
    <div className="jp-mlops-Run-header">
      <div className="jp-mlops-Run-title">
        <StateMark state={run.state} />
        <h1>{run.pipeline}</h1>
        <span className="jp-mlops-Run-state">
          {run.is_cancel_requested && live
            ? trans.__('stopping…')
            : isLost
              ? trans.__('interrupted: nobody drives it')
              : word(run.state)}
        </span>
        <div className="jp-mlops-Run-buttons">
          {live &&
            !isLost &&
            !run.is_cancel_requested &&
            button(trans.__('Cancel'), () => api.cancel(run.run_id))}
          {isLost && button(trans.__('Resume'), () => api.resume(run.run_id), 'jp-mod-primary')}
          {!live &&
            hasFailed &&
            button(trans.__('Rerun failed'), () => api.rerun(run.run_id, true), 'jp-mod-primary')}
          {!live && button(trans.__('Rerun'), () => api.rerun(run.run_id, false))}
          <button
            className="jp-mlops-Button"
            onClick={() => context.open('compare', { right: run.run_id, pipeline: run.pipeline })}
          >
            {trans.__('Compare…')}
          </button>
          {run.pipeline_path && (
            <button
              className="jp-mlops-Button"
              onClick={() => context.openFile(run.pipeline_path!, EDITOR)}
            >
              {trans.__('Pipeline')}
            </button>
          )}
        </div>
      </div>
      <div className="jp-mlops-Run-facts">
        <StateBar states={run.task_states} />
        <span title={exactly(run.started_at ?? run.created_at)}>
          {ago(run.started_at ?? run.created_at, now)}
        </span>
        <span>{duration(live ? elapsed(run.started_at, null, now) : run.duration_seconds)}</span>
        <span>{run.user_name}</span>
        <code title={trans.__('The id of this run')}>{run.run_id}</code>
      </div>
      {run.message && <div className="jp-mlops-Run-message">{run.message}</div>}
    </div>
  );
}
