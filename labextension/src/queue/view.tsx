/** The queue: who waits for what, in which order and until about when; and quotas, with what is in use of them. */
import { type ReactElement, useState } from 'react';
import { Fold } from '../components/pieces';
import { StateMark } from '../components/state';
import { duration, elapsed, exactly } from '../format';
import { useNow, useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { QueueEntry, QuotaUse } from '../types';
import { ahead, limited, ofWhom, used } from './words';

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** Both, where quotas are set; nothing otherwise, since then nobody waits. */
export function QueueParts({ context }: { context: IContext }): ReactElement | null {
  const { api, model, trans } = context;
  const quotas = useQuery(model, ['quotas'], () => api.quotas(), ['queue', 'run']);
  const queue = useQuery(model, ['queue'], () => api.queue(), ['queue', 'run']);
  const now = useNow((queue.value?.items.length ?? 0) > 0);
  if (!quotas.value?.is_set && !queue.value?.items.length) {
    return null;
  }
  const { items, total, waiting } = queue.value ?? { items: [], total: 0, waiting: 0 };
  const act = (deed: () => Promise<unknown>): void =>
    void deed()
      .then(queue.refresh)
      .catch(error => context.report(error));
  return (
    <>
      <h4>
        {trans.__('Queue')}
        <span className="jp-mlops-count">{waiting}</span>
      </h4>
      {total === 0 && <p className="jp-mlops-muted">{trans.__('No run waits.')}</p>}
      <ul className="jp-mlops-List jp-mlops-Queue">
        {items.map(entry => (
          <Entry
            key={entry.run_id}
            entry={entry}
            now={now}
            trans={trans}
            onOpen={() => context.open('run', { runId: entry.run_id, title: entry.pipeline })}
            onHold={isHeld => act(() => api.changeQueueEntry(entry.run_id, { is_held: isHeld }))}
            onMove={priority => act(() => api.changeQueueEntry(entry.run_id, { priority }))}
          />
        ))}
      </ul>
      {total > items.length && (
        <p className="jp-mlops-muted">{trans.__('… and %1 more', total - items.length)}</p>
      )}
      {quotas.value && quotas.value.limits.length > 0 && (
        <Fold title={trans.__('Quotas')} count={quotas.value.limits.length} isOpen>
          {quotas.value.limits.map(limit => (
            <QuotaBar
              key={`${limit.scope} ${limit.name} ${limit.resource}`}
              limit={limit}
              trans={trans}
            />
          ))}
        </Fold>
      )}
    </>
  );
}

/** One run in the queue: it was admitted, or waits, or is held. */
export function Entry(props: {
  entry: QueueEntry;
  now: number;
  trans: Trans;
  onOpen: () => void;
  onHold: (isHeld: boolean) => void;
  onMove: (priority: number) => void;
}): ReactElement {
  const { entry, now, trans } = props;
  const [isMoving, setMoving] = useState(false);
  const isAdmitted = entry.state === 'admitted';
  const start = ahead(entry.starts_at, now, trans);
  const facts = [
    entry.user_name,
    entry.queue === 'default' ? '' : entry.queue,
    entry.priority ? trans.__('priority %1', entry.priority) : '',
    entry.is_preemptible ? trans.__('preemptible') : ''
  ];
  return (
    <li className="jp-mlops-Row jp-mlops-QueueEntry" data-queued={entry.run_id}>
      <button
        className="jp-mlops-Row-main"
        title={[entry.run_id, entry.reason, start, exactly(entry.since_at)]
          .filter(Boolean)
          .join('\n')}
        onClick={props.onOpen}
      >
        <span className="jp-mlops-Row-first">
          <StateMark
            state={isAdmitted ? 'running' : entry.state === 'held' ? 'cancelled' : 'queued'}
          />
          {!isAdmitted && entry.position > 0 && (
            <span className="jp-mlops-number jp-mlops-muted">{entry.position}.</span>
          )}
          <span className="jp-mlops-name">{entry.pipeline}</span>
          <span className="jp-mlops-Row-when">
            {duration(elapsed(entry.admitted_at ?? entry.since_at, null, now))}
          </span>
        </span>
        {!isAdmitted && (
          <span className="jp-mlops-Row-second jp-mod-indented">
            <span className="jp-mlops-Row-text">
              {[entry.reason, start].filter(Boolean).join('; ')}
            </span>
          </span>
        )}
        <span className="jp-mlops-Row-second jp-mod-indented">
          <span className="jp-mlops-muted jp-mlops-Row-text">
            {facts.filter(Boolean).join(' · ')}
          </span>
        </span>
      </button>
      {entry.may_change && (
        <span className="jp-mlops-QueueEntry-buttons">
          <button
            className="jp-mlops-Button jp-mod-quiet"
            onClick={() => props.onHold(entry.state !== 'held')}
          >
            {entry.state === 'held' ? trans.__('Release') : trans.__('Hold')}
          </button>
          {isMoving ? (
            <PriorityField
              entry={entry}
              trans={trans}
              onDone={priority => {
                setMoving(false);
                if (priority !== null && priority !== entry.priority) {
                  props.onMove(priority);
                }
              }}
            />
          ) : (
            <button className="jp-mlops-Button jp-mod-quiet" onClick={() => setMoving(true)}>
              {trans.__('Priority…')}
            </button>
          )}
        </span>
      )}
    </li>
  );
}

function PriorityField(props: {
  entry: QueueEntry;
  trans: Trans;
  onDone: (priority: number | null) => void;
}): ReactElement {
  const [text, setText] = useState(String(props.entry.priority));
  const done = (): void => {
    const value = Number(text);
    props.onDone(text.trim() !== '' && Number.isInteger(value) ? value : null);
  };
  return (
    <input
      className="jp-mlops-Input"
      type="number"
      autoFocus
      min={-1000}
      max={1000}
      value={text}
      aria-label={props.trans.__('Priority of %1', props.entry.pipeline)}
      onChange={event => setText(event.target.value)}
      onBlur={done}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          done();
        } else if (event.key === 'Escape') {
          props.onDone(null);
        }
      }}
    />
  );
}

/** How much of a limit is in use. */
export function QuotaBar({ limit, trans }: { limit: QuotaUse; trans: Trans }): ReactElement {
  const share = limit.limit > 0 ? limit.used / limit.limit : 1;
  const label = `${ofWhom(limit, trans)}: ${limited(limit, trans)}`;
  return (
    <div
      className={`jp-mlops-Meter jp-mlops-QuotaBar${share >= 1 ? ' jp-mod-full' : ''}`}
      title={label}
    >
      <span className="jp-mlops-Row-text">
        <span className="jp-mlops-muted">{ofWhom(limit, trans)}</span> {limited(limit, trans)}
      </span>
      <span
        className="jp-mlops-Meter-track"
        role="meter"
        aria-label={label}
        aria-valuenow={limit.used}
        aria-valuemin={0}
        aria-valuemax={limit.limit}
        aria-valuetext={used(limit)}
      >
        <span
          className="jp-mlops-Meter-asked"
          style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }}
        />
      </span>
      <span className="jp-mlops-number">{used(limit)}</span>
    </div>
  );
}
