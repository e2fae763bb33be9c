/** What a schedule says, as fields: of one that is added, and of one in a pipeline's file. What it will do is shown as it is typed. */
import { type ReactElement, useId } from 'react';

import { Check, Choice, Line } from '../components/fields';
import { Field, type Texts } from '../components/form';
import { Failure, Fold } from '../components/pieces';
import { useQuery, useRested } from '../hooks';
import { AT_FIRST, type IQueueTexts, QueueFields } from '../panels/queueFields';
import type { IContext } from '../tokens';
import type { Parameter } from '../types';
import { common, onClock } from './words';

/** What stands in the fields. */
export interface IScheduleTexts {
  cron: string;
  timezone: string;
  overlap: string;
  catchUp: string;
  jitter: string;
  start: string;
  end: string;
  isPaused: boolean;
  arguments: Texts;
  queue: IQueueTexts;
}

/** What a schedule does that says nothing. */
export const PLAIN: IScheduleTexts = {
  cron: '',
  timezone: '',
  overlap: 'skip',
  catchUp: 'last',
  jitter: '',
  start: '',
  end: '',
  isPaused: false,
  arguments: {},
  queue: AT_FIRST
};

/** What an argument can take from the fire. */
const TEMPLATES = [
  '${schedule.data_interval_start.date}',
  '${schedule.data_interval_end.date}',
  '${schedule.data_interval_start.iso}',
  '${schedule.data_interval_end.iso}',
  '${schedule.fire_at.date}',
  '${schedule.fire_at.week}'
];

export const holdsTemplate = (text: string | undefined): boolean => (text ?? '').includes('${');

export function ScheduleFields(props: {
  context: IContext;
  parameters: readonly Parameter[];
  texts: IScheduleTexts;
  /** What is wrong with a field, by its key in a pipeline's file: `cron`, `parameters.week`. */
  told: (key: string) => readonly string[];
  isDisabled?: boolean;
  onChange: (texts: IScheduleTexts) => void;
}): ReactElement {
  const { context, parameters, texts, told } = props;
  const { trans } = context;
  const id = useId();
  const change = (changes: Partial<IScheduleTexts>): void =>
    props.onChange({ ...texts, ...changes });
  const isWrong = (...keys: string[]): boolean => keys.some(key => told(key).length > 0);
  const isSaid = (...keys: (keyof IScheduleTexts)[]): boolean =>
    keys.some(key => texts[key] !== PLAIN[key]);
  return (
    <fieldset className="jp-mlops-ScheduleFields" disabled={props.isDisabled}>
      <Line
        label={trans.__('Cron')}
        value={texts.cron}
        offers={common(trans)}
        messages={told('cron')}
        onChange={cron => change({ cron })}
      />
      <Line
        label={trans.__('Time zone')}
        value={texts.timezone}
        placeholder="UTC"
        messages={told('timezone')}
        onChange={timezone => change({ timezone })}
      />
      <NextFires
        context={context}
        cron={texts.cron}
        timezone={texts.timezone}
        told={[...told('cron'), ...told('timezone')]}
      />
      <Check
        label={trans.__('Paused, until somebody resumes it')}
        isChecked={texts.isPaused}
        onChange={isPaused => change({ isPaused })}
      />
      {parameters.length > 0 && (
        <Fold
          title={trans.__('Arguments')}
          count={parameters.length}
          isOpen={parameters.some(({ name }) => isWrong(`parameters.${name}`))}
        >
          <p className="jp-mlops-hint">
            {trans.__('Text may hold what belongs to the fire:')} <code>{TEMPLATES[0]}</code>
          </p>
          {parameters.map(parameter => (
            <Field
              key={parameter.name}
              id={`${id}-${parameter.name}`}
              parameter={parameter}
              text={texts.arguments[parameter.name] ?? ''}
              messages={told(`parameters.${parameter.name}`)}
              isText
              offers={TEMPLATES}
              placeholder={parameter.default_text}
              onChange={text =>
                change({ arguments: { ...texts.arguments, [parameter.name]: text } })
              }
            />
          ))}
        </Fold>
      )}
      <Fold
        title={trans.__('When fires meet or are missed')}
        isOpen={isSaid('overlap', 'catchUp') || isWrong('overlap', 'catch_up')}
      >
        <Choice
          label={trans.__('While an earlier run goes on')}
          value={texts.overlap}
          choices={[
            ['skip', trans.__('skip the fire')],
            ['queue', trans.__('wait for its end')],
            ['cancel', trans.__('cancel the earlier run')]
          ]}
          messages={told('overlap')}
          onChange={overlap => change({ overlap })}
        />
        <Choice
          label={trans.__('Fires that were missed')}
          value={texts.catchUp}
          choices={[
            ['none', trans.__('are left out')],
            ['last', trans.__('the last one runs late')],
            ['all', trans.__('all run late')]
          ]}
          messages={told('catch_up')}
          onChange={catchUp => change({ catchUp })}
        />
      </Fold>
      <Fold
        title={trans.__('Start, end and jitter')}
        isOpen={isSaid('start', 'end', 'jitter') || isWrong('start', 'end', 'jitter')}
      >
        <Line
          label={trans.__('Not before')}
          value={texts.start}
          placeholder="2026-01-31T06:00"
          messages={told('start')}
          onChange={start => change({ start })}
        />
        <Line
          label={trans.__('Not from then on')}
          value={texts.end}
          placeholder="2026-12-31"
          messages={told('end')}
          onChange={end => change({ end })}
        />
        <Line
          label={trans.__('Late by up to')}
          value={texts.jitter}
          placeholder="10m"
          help={trans.__('Each fire by another amount, so that not all begin at once.')}
          messages={told('jitter')}
          onChange={jitter => change({ jitter })}
        />
      </Fold>
      <QueueFields
        context={context}
        texts={texts.queue}
        told={told}
        onChange={queue => change({ queue })}
      />
    </fieldset>
  );
}

/** When it fires next, or what is wrong with the expression: asked for once typing rests. */
function NextFires(props: {
  context: IContext;
  cron: string;
  timezone: string;
  /** What the fields say already. */
  told: readonly string[];
}): ReactElement {
  const { api, model, trans } = props.context;
  const [cron, timezone] = useRested(`${props.cron}\n${props.timezone}`).split('\n');
  const preview = useQuery(
    model,
    ['cron', cron, timezone],
    () => (cron.trim() ? api.previewCron(cron, timezone, 3) : Promise.resolve(null)),
    ['-']
  );
  const { error } = preview;
  const isTold = error !== null && props.told.some(message => message.includes(error.message));
  const found = error || !cron.trim() ? null : preview.value;
  return (
    <div className="jp-mlops-NextFires" role="status">
      {error && !isTold && <Failure error={error} />}
      {found && (
        <>
          <span className="jp-mlops-muted">{trans.__('Next')}</span>
          <ul>
            {found.next.map(at => (
              <li key={at} className="jp-mlops-number">
                {onClock(at, found.timezone)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
