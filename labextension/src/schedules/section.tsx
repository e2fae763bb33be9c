/** The section Schedules: what runs by itself, when next, and what became of it. */
import { type ReactElement, useState } from 'react';

import { Empty, Failure, Waiting } from '../components/pieces';
import { StateMark } from '../components/state';
import { ago, exactly } from '../format';
import { useNow, useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { Schedule, State } from '../types';
import { AddSchedule } from './addForm';
import { until } from './words';

export const createSchedules = (context: IContext): ReactElement => <Schedules context={context} />;

type Trans = { __: (text: string, ...values: unknown[]) => string };

function Schedules({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const [isAdding, setAdding] = useState(false);
  const list = useQuery(model, ['schedules'], () => api.schedules(), ['schedule', 'run']);
  const now = useNow((list.value?.items.length ?? 0) > 0);
  if (!list.value) {
    return list.error ? (
      <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
    ) : (
      <Waiting label={trans.__('Loading schedules')} />
    );
  }
  const { items, scheduler } = list.value;
  return (
    <>
      <div className="jp-mlops-Bar">
        <button
          className="jp-mlops-Button"
          aria-expanded={isAdding}
          onClick={() => setAdding(!isAdding)}
        >
          {trans.__('Add a schedule')}
        </button>
      </div>
      {isAdding && (
        <AddSchedule
          context={context}
          onClose={() => {
            setAdding(false);
            list.refresh();
          }}
        />
      )}
      {items.length > 0 && !scheduler && (
        <p className="jp-mlops-note">
          {trans.__('Nothing fires them yet: this server does in a moment, or the command')}{' '}
          <code>jupyter mlops scheduler</code>
        </p>
      )}
      {!items.length && !isAdding && (
        <Empty title={trans.__('Nothing runs by itself')}>
          <p>{trans.__('A schedule runs a pipeline at the times of a cron expression.')}</p>
        </Empty>
      )}
      <ul className="jp-mlops-List">
        {items.map(schedule => (
          <ScheduleRow
            key={schedule.name}
            schedule={schedule}
            now={now}
            trans={trans}
            onOpen={() => context.open('schedule', { name: schedule.name })}
          />
        ))}
      </ul>
    </>
  );
}

/** One schedule in the list. */
export function ScheduleRow(props: {
  schedule: Schedule;
  now: number;
  trans: Trans;
  onOpen: () => void;
}): ReactElement {
  const { schedule, now, trans } = props;
  const { last } = schedule;
  return (
    <li className="jp-mlops-Row" data-schedule={schedule.name}>
      <button
        className="jp-mlops-Row-main"
        title={[schedule.name, schedule.pipeline_path, exactly(schedule.next_at)]
          .filter(Boolean)
          .join('\n')}
        onClick={props.onOpen}
      >
        <span className="jp-mlops-Row-first">
          <span className="jp-mlops-name">{schedule.name}</span>
          {schedule.is_paused ? (
            <span className="jp-mlops-Badge">{trans.__('paused')}</span>
          ) : (
            <span className="jp-mlops-Row-when">{until(schedule.next_at, now, trans)}</span>
          )}
        </span>
        <span className="jp-mlops-Row-second">
          <span className="jp-mlops-muted jp-mlops-Row-text">
            <code>{schedule.cron}</code> · {schedule.timezone}
          </span>
          {last && (
            <span className="jp-mlops-Schedule-last">
              <FireMark state={last.state} reason={last.reason} />
              <span className="jp-mlops-Row-when">{ago(last.fire_at, now)}</span>
            </span>
          )}
        </span>
      </button>
    </li>
  );
}

/** What became of a fire: as a run's state, or that there was none. */
export function FireMark(props: {
  state: string;
  reason: string;
  isNamed?: boolean;
}): ReactElement {
  if (props.state === 'missed') {
    return (
      <span className="jp-mlops-Badge" title={props.reason}>
        {props.state}
      </span>
    );
  }
  return <StateMark state={props.state as State} isNamed={props.isNamed} />;
}
