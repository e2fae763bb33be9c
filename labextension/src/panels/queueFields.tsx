/** Where a run waits, and how urgent it is: folded away in forms, and there only where quotas are set, or something is said. */
import { type ReactElement } from 'react';
import { Check, Choice, Line } from '../components/fields';
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
  /** What is wrong with a field, by its key in a pipeline's file. */
  told?: (key: string) => readonly string[];
  onChange: (texts: IQueueTexts) => void;
}): ReactElement | null {
  const { context, texts, onChange, told } = props;
  const { api, model, trans } = context;
  const quotas = useQuery(model, ['quotas'], () => api.quotas(), ['queue']).value;
  const isSaid = texts.queue !== '' || texts.priority !== '' || texts.isPreemptible;
  if (!quotas?.is_set && !isSaid) {
    return null;
  }
  const queues = quotas?.queues ?? [];
  const isWrong = ['queue', 'priority', 'preemptible'].some(key => told?.(key).length);
  return (
    <Fold title={trans.__('Queue and priority')} isOpen={isWrong}>
      {(queues.length > 1 || texts.queue !== '') && (
        <Choice
          label={trans.__('Queue')}
          value={texts.queue}
          messages={told?.('queue')}
          choices={
            queues.length
              ? queues.map((name, i) => [i ? name : '', name])
              : [['', trans.__('the usual one')]]
          }
          onChange={queue => onChange({ ...texts, queue })}
        />
      )}
      <Line
        label={trans.__('Priority')}
        type="number"
        value={texts.priority}
        placeholder="0"
        messages={told?.('priority')}
        onChange={priority => onChange({ ...texts, priority })}
      />
      <Check
        label={trans.__('It may make way for others, and goes on later')}
        isChecked={texts.isPreemptible}
        onChange={isPreemptible => onChange({ ...texts, isPreemptible })}
      />
    </Fold>
  );
}
