/** The section Compute: what there is, what is in use, what runs where, who waits and why. */
import { type ReactElement, useEffect } from 'react';

import { Empty, Failure, Waiting } from '../components/pieces';
import { bytes, duration, elapsed } from '../format';
import { useNow, useQuery } from '../hooks';
import { QueueParts } from '../queue/view';
import type { IContext } from '../tokens';
import type { Compute, RunningTask, Unit, WaitingTask } from '../types';
import { Units } from './units';

export const createCompute = (context: IContext): ReactElement => (
  <ComputeSection context={context} />
);

type Trans = { __: (text: string, ...values: unknown[]) => string };
const MEASURED_EVERY = 5000; // load and memory ring no bell

function ComputeSection({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const { value, error, refresh } = useQuery(model, ['compute'], () => api.compute(), ['run']);
  const now = useNow((value?.running.length ?? 0) > 0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || refresh(), MEASURED_EVERY);
    return () => clearInterval(timer);
  }, [refresh]);
  if (value) {
    return (
      <ComputeView
        units={<Units context={context} />}
        queue={<QueueParts context={context} />}
        compute={value}
        now={now}
        trans={trans}
        onOpen={(runId, pipeline) => context.open('run', { runId, title: pipeline })}
      />
    );
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />
  ) : (
    <Waiting label={trans.__('Loading')} />
  );
}

export interface IComputeView {
  /** What stands between the machines and what runs there: the units that there are, and who waits to be admitted. */
  units?: ReactElement;
  queue?: ReactElement;
  compute: Compute;
  now: number;
  trans: Trans;
  onOpen: (runId: string, pipeline: string) => void;
}

/** See the module. */
export function ComputeView(props: IComputeView): ReactElement {
  const { compute, trans } = props;
  return (
    <div className="jp-mlops-Compute">
      {compute.units.map(unit => (
        <UnitCard key={unit.name} unit={unit} trans={trans} />
      ))}
      {compute.units.length === 0 && <Empty title={trans.__('No machine is known')} />}
      {props.units}
      {props.queue}
      <h4>
        {trans.__('Running')}
        <span className="jp-mlops-count">{compute.running.length}</span>
      </h4>
      {compute.running.length === 0 && (
        <p className="jp-mlops-muted">{trans.__('Nothing runs.')}</p>
      )}
      <ul className="jp-mlops-List">
        {compute.running.map(task => (
          <Running key={`${task.run_id} ${task.task}`} task={task} {...props} />
        ))}
      </ul>
      <h4>
        {trans.__('Waiting')}
        <span className="jp-mlops-count">{compute.waiting.length}</span>
      </h4>
      {compute.waiting.length === 0 && (
        <p className="jp-mlops-muted">{trans.__('Nobody waits.')}</p>
      )}
      <ul className="jp-mlops-List">
        {compute.waiting.map(task => (
          <Waits key={`${task.run_id} ${task.task}`} task={task} {...props} />
        ))}
      </ul>
      <p className="jp-mlops-muted jp-mlops-Compute-backend">
        {trans.__('Backend: %1', compute.backend)}
      </p>
    </div>
  );
}

function UnitCard({ unit, trans }: { unit: Unit; trans: Trans }): ReactElement {
  const { in_use: use } = unit;
  return (
    <section className="jp-mlops-Unit">
      <header>
        <span className="jp-mlops-name" title={unit.name}>
          {unit.name}
        </span>
        <span className="jp-mlops-muted">{trans.__('%1 of %2 places', use.tasks, unit.count)}</span>
      </header>
      <Meter
        label={trans.__('Cores')}
        asked={use.cpu}
        measured={use.load_percent === null ? null : (use.load_percent / 100) * unit.cpu}
        all={unit.cpu}
        shown={value => String(Number(value.toFixed(1)))}
        trans={trans}
      />
      <Meter
        label={trans.__('Memory')}
        asked={use.memory_bytes}
        measured={use.used_memory_bytes}
        all={unit.memory_bytes}
        shown={bytes}
        trans={trans}
      />
      {unit.gpu > 0 && (
        <Meter
          label={unit.accelerator || trans.__('GPUs')}
          asked={use.gpu}
          measured={null}
          all={unit.gpu}
          shown={String}
          trans={trans}
        />
      )}
    </section>
  );
}

/** What is asked for as a bar, what is measured as a mark on it. */
export function Meter(props: {
  label: string;
  asked: number;
  measured: number | null;
  all: number;
  shown: (value: number) => string;
  trans: Trans;
}): ReactElement {
  const { asked, measured, all, shown, trans } = props;
  const share = (value: number): number =>
    all > 0 ? Math.min(100, Math.max(0, (value / all) * 100)) : 0;
  const said = [
    trans.__('%1 of %2 asked for', shown(asked), shown(all)),
    measured === null ? '' : trans.__('%1 in use', shown(measured))
  ].filter(Boolean);
  return (
    <div
      className={`jp-mlops-Meter${share(asked) >= 100 ? ' jp-mod-full' : ''}`}
      title={said.join('\n')}
    >
      <span>{props.label}</span>
      <span
        className="jp-mlops-Meter-track"
        role="meter"
        aria-label={props.label}
        aria-valuenow={asked}
        aria-valuemin={0}
        aria-valuemax={all}
        aria-valuetext={said.join(', ')}
      >
        <span className="jp-mlops-Meter-asked" style={{ width: `${share(asked)}%` }} />
        {measured !== null && (
          <span className="jp-mlops-Meter-measured" style={{ width: `${share(measured)}%` }} />
        )}
      </span>
      <span className="jp-mlops-number">
        {shown(measured ?? asked)} / {shown(all)}
      </span>
    </div>
  );
}

/** What a task asks for, in few words. */
export function asks({ resources }: RunningTask | WaitingTask, trans: Trans): string {
  const { cpu, memory_bytes: memory, gpu, accelerator, spot } = resources;
  return [
    cpu ? (cpu === 1 ? trans.__('1 core') : trans.__('%1 cores', cpu)) : '',
    memory ? bytes(memory) : '',
    gpu ? `${gpu} ${accelerator || 'GPU'}` : '',
    spot ? trans.__('on spot') : ''
  ]
    .filter(Boolean)
    .join(', ');
}

function Running({ task, now, trans, onOpen }: IComputeView & { task: RunningTask }): ReactElement {
  const cell =
    task.cells > 0 ? trans.__('cell %1/%2', Math.min(task.cell, task.cells), task.cells) : '';
  return (
    <li className="jp-mlops-Row" data-task={task.task}>
      <button
        className="jp-mlops-Row-main"
        title={`${task.pipeline} · ${task.user_name}`}
        onClick={() => onOpen(task.run_id, task.pipeline)}
      >
        <span className="jp-mlops-Row-first">
          <span className="jp-mlops-name">{task.task}</span>
          <span className="jp-mlops-Row-when">
            {duration(elapsed(task.started_at, null, now) ?? task.duration_seconds)}
          </span>
        </span>
        <span className="jp-mlops-Row-second">
          <span className="jp-mlops-muted jp-mlops-Row-text">
            {[task.pipeline, asks(task, trans), task.worker, cell].filter(Boolean).join(' · ')}
          </span>
        </span>
      </button>
    </li>
  );
}

function Waits({ task, now, trans, onOpen }: IComputeView & { task: WaitingTask }): ReactElement {
  return (
    <li className="jp-mlops-Row" data-task={task.task}>
      <button
        className="jp-mlops-Row-main"
        title={`${task.pipeline} · ${task.user_name}\n${task.why}`}
        onClick={() => onOpen(task.run_id, task.pipeline)}
      >
        <span className="jp-mlops-Row-first">
          <span className="jp-mlops-name">{task.task}</span>
          <span className="jp-mlops-Row-when">{duration(elapsed(task.since, null, now))}</span>
        </span>
        <span className="jp-mlops-Row-second">
          <span className="jp-mlops-Row-text">{task.why}</span>
          <span className="jp-mlops-muted">{asks(task, trans)}</span>
        </span>
      </button>
    </li>
  );
}
