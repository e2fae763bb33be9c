/** Where a run waits, and how urgent it is: folded away in the form that starts it, and there only where quotas are set. */
import { type ReactElement } from 'react';
import { Choice, Line } from '../components/fields';
import { Fold } from '../components/pieces';
import { useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { RunOptions } from '../types';

export interface IQueueTexts {
  queue: string;
  priority: string;
  isPreemptible: boolean;
}

export const AT_FIRST: IQueueTexts = { queue: '', priority: '', isPreemptible: false };

/** What is sent: only what was chosen. */
export function queueOptions(texts: IQueueTexts): Partial<RunOptions> {
  const priority = Number(texts.priority);
  return {
    ...(texts.queue ? { queue: texts.queue } : {}),
    ...(texts.priority.trim() && Number.isInteger(priority) ? { priority } : {}),
    ...(texts.isPreemptible ? { is_preemptible: true } : {})
  };
}

export function QueueFields(props: {
  context: IContext;
  texts: IQueueTexts;
  onChange: (texts: IQueueTexts) => void;
}): ReactElement | null {
  const { context, texts, onChange } = props;
  const { api, model, trans } = context;
  const quotas = useQuery(model, ['quotas'], () => api.quotas(), ['queue']).value;
  if (!quotas?.is_set) {
    return null;
  }
  return (
    <Fold title={trans.__('Queue and priority')}>
      {quotas.queues.length > 1 && (
        <Choice
          label={trans.__('Queue')}
          value={texts.queue}
          choices={quotas.queues.map((name, i) => [i ? name : '', name])}
          onChange={queue => onChange({ ...texts, queue })}
        />
      )}
      <Line
        label={trans.__('Priority')}
        type="number"
        value={texts.priority}
        placeholder="0"
        onChange={priority => onChange({ ...texts, priority })}
      />
      <label className="jp-mlops-Check">
        <input
          type="checkbox"
          checked={texts.isPreemptible}
          onChange={event => onChange({ ...texts, isPreemptible: event.target.checked })}
        />
        {trans.__('It may make way for others, and goes on later')}
      </label>
    </Fold>
  );
}
