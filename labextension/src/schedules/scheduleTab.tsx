/** The tab of a schedule: what it is, its next fires with what each will be given, and what became of earlier ones. */
import { type ReactElement, useState } from 'react';

import { Fact, Failure, Waiting } from '../components/pieces';
import { Values } from '../components/values';
import { ago, duration, elapsed } from '../format';
import { useNow, useQuery } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { Fire, ScheduleDetail } from '../types';
import { FireMark } from './section';
import { onClock, rank, until } from './words';

export const create = (context: IContext, args: Args): ReactElement => (
  <ScheduleTab context={context} name={args.name} />
);

function ScheduleTab({ context, name }: { context: IContext; name: string }): ReactElement {
  const { api, model, trans } = context;
  const { value, error, refresh } = useQuery(model, ['schedule', name], () => api.schedule(name), [
    'schedule',
    'run'
  ]);
  if (value && !error) {
    return <Detail detail={value} context={context} refresh={refresh} />;
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />
  ) : (
    <Waiting label={trans.__('Loading the schedule')} />
  );
}

function Detail(props: {
  detail: ScheduleDetail;
  context: IContext;
  refresh: () => void;
}): ReactElement {
  const { detail, context, refresh } = props;
  const { api, trans } = context;
  const { schedule } = detail;
  const [isSure, setSure] = useState(false);
  const now = useNow(true);
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    try {
      await deed();
      refresh();
    } catch (reason) {
      context.report(reason);
    }
  };
  return (
    <div className="jp-mlops-ScheduleTab">
      <header className="jp-mlops-Tab-head">
        <h1>{schedule.name}</h1>
        <span className="jp-mlops-muted">
          {schedule.is_paused ? trans.__('paused') : until(schedule.next_at, now, trans)}
        </span>
        <div className="jp-mlops-Buttons">
          {schedule.is_paused ? (
            <button
              className="jp-mlops-Button jp-mod-primary"
              onClick={() => void act(() => api.resumeSchedule(schedule.name))}
            >
              {trans.__('Resume')}
            </button>
          ) : (
            <button
              className="jp-mlops-Button"
              onClick={() => void act(() => api.pauseSchedule(schedule.name))}
            >
              {trans.__('Pause')}
            </button>
          )}
          <button
            className="jp-mlops-Button"
            onBlur={() => setSure(false)}
            onClick={() =>
              isSure ? void act(() => api.removeSchedule(schedule.name)) : setSure(true)
            }
          >
            {isSure ? trans.__('Remove it and its history') : trans.__('Remove')}
          </button>
        </div>
      </header>
      <dl className="jp-mlops-Facts">
        <Fact name={trans.__('pipeline')}>
          {schedule.path ? (
            <button className="jp-mlops-Link" onClick={() => context.openFile(schedule.path!)}>
              {schedule.path}
            </button>
          ) : (
            schedule.pipeline_path
          )}
        </Fact>
        <Fact name={trans.__('cron')}>
          <code>{schedule.cron}</code> · {schedule.timezone}
        </Fact>
        <Fact name={trans.__('overlap')}>{schedule.overlap}</Fact>
        <Fact name={trans.__('catch-up')}>{schedule.catch_up}</Fact>
        {schedule.jitter_seconds > 0 && (
          <Fact name={trans.__('jitter')}>{duration(schedule.jitter_seconds)}</Fact>
        )}
        {schedule.queue && <Fact name={trans.__('queue')}>{schedule.queue}</Fact>}
        {rank(schedule, trans) && <Fact name={trans.__('priority')}>{rank(schedule, trans)}</Fact>}
        <Fact name={trans.__('fired by')}>{detail.scheduler ?? trans.__('nobody yet')}</Fact>
        <Fact name={trans.__('by')}>{schedule.user_name}</Fact>
      </dl>
      {Object.keys(schedule.parameters).length > 0 && (
        <Values values={schedule.parameters} none="" />
      )}
      {detail.problem && (
        <p className="jp-mlops-Failure" role="alert">
          {detail.problem}
        </p>
      )}
      <h2>{trans.__('Next')}</h2>
      {detail.next.length === 0 && (
        <p className="jp-mlops-muted">
          {schedule.is_paused ? trans.__('It is paused.') : trans.__('It fires no more.')}
        </p>
      )}
      {detail.next.length > 0 && (
        <table className="jp-mlops-Grid">
          <thead>
            <tr>
              <th>{schedule.timezone}</th>
              <th>{trans.__('in')}</th>
              <th>{trans.__('arguments')}</th>
            </tr>
          </thead>
          <tbody>
            {detail.next.map(fire => (
              <tr key={fire.fire_at}>
                <td className="jp-mlops-number">{onClock(fire.fire_at, schedule.timezone)}</td>
                <td>{until(fire.due_at, now, trans)}</td>
                <td>
                  <code>
                    {Object.entries(fire.arguments)
                      .map(([name, value]) => `${name}=${shown(value)}`)
                      .join(' ')}
                  </code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h2>{trans.__('History')}</h2>
      {detail.history.length === 0 && (
        <p className="jp-mlops-muted">{trans.__('It has not fired yet.')}</p>
      )}
      {detail.history.length > 0 && (
        <table className="jp-mlops-Grid">
          <thead>
            <tr>
              <th>{schedule.timezone}</th>
              <th>{trans.__('state')}</th>
              <th>{trans.__('took')}</th>
              <th>{trans.__('run or reason')}</th>
            </tr>
          </thead>
          <tbody>
            {detail.history.map(fire => (
              <Row
                key={fire.fire_at}
                fire={fire}
                timezone={schedule.timezone}
                now={now}
                onOpen={runId => context.open('run', { runId, title: schedule.pipeline })}
              />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Row(props: {
  fire: Fire;
  timezone: string;
  now: number;
  onOpen: (runId: string) => void;
}): ReactElement {
  const { fire, now } = props;
  const took = fire.started_at ? elapsed(fire.started_at, fire.finished_at, now) : null;
  const many = fire.count > 1 ? ` × ${fire.count}` : '';
  return (
    <tr data-state={fire.state}>
      <td className="jp-mlops-number" title={ago(fire.fire_at, now)}>
        {onClock(fire.fire_at, props.timezone)}
        {many}
      </td>
      <td>
        <FireMark state={fire.state} reason={fire.reason} isNamed />
      </td>
      <td>{took === null ? '' : duration(took)}</td>
      <td>
        {fire.run_id && (
          <button className="jp-mlops-Link" onClick={() => props.onOpen(fire.run_id!)}>
            {fire.run_id}
          </button>
        )}{' '}
        <span className="jp-mlops-muted">{fire.reason}</span>
      </td>
    </tr>
  );
}

function shown(value: unknown): string {
  if (value !== null && typeof value === 'object' && 'value' in value) {
    return String(value.value);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
