/** The form of a new schedule: which pipeline, when, and with which arguments; what it will do is shown as it is typed. */
import { type FormEvent, type ReactElement, useState } from 'react';

import { ApiError } from '../api';
import { Choice, Line } from '../components/fields';
import { Field, type Texts, chosen, misfit } from '../components/form';
import { Failure, Fold, Waiting } from '../components/pieces';
import { useQuery, useRested } from '../hooks';
import { AT_FIRST, QueueFields, queueOptions } from '../panels/queueFields';
import type { IContext } from '../tokens';
import type { Parameter, Pipeline, PipelineSummary } from '../types';
import { common, onClock } from './words';

const MOST = 500;

export function AddSchedule(props: { context: IContext; onClose: () => void }): ReactElement {
  const { api, model, trans } = props.context;
  const list = useQuery(model, ['pipelines', 'all'], () => api.pipelines({ limit: MOST }), [
    'pipeline'
  ]);
  const [path, setPath] = useState('');
  const chosenPath = path || list.value?.items[0]?.path || '';
  const pipeline = useQuery(
    model,
    ['pipeline', chosenPath],
    () => (chosenPath ? api.pipeline(chosenPath) : Promise.resolve(null)),
    ['pipeline']
  );
  if (list.value && !list.value.items.length) {
    return <p className="jp-mlops-note">{trans.__('There is no pipeline to run yet.')}</p>;
  }
  if (!list.value || !pipeline.value) {
    const error = list.error ?? pipeline.error;
    return error ? <Failure error={error} /> : <Waiting label={trans.__('Loading')} />;
  }
  return (
    <>
      {pipeline.error && <Failure error={pipeline.error} />}
      <ScheduleForm
        key={pipeline.value.path}
        {...props}
        pipelines={list.value.items}
        pipeline={pipeline.value}
        onChoose={setPath}
      />
    </>
  );
}

function ScheduleForm(props: {
  context: IContext;
  pipelines: readonly PipelineSummary[];
  pipeline: Pipeline;
  onChoose: (path: string) => void;
  onClose: () => void;
}): ReactElement {
  const { context, pipeline } = props;
  const { api, model, trans } = context;
  const parameters: readonly Parameter[] = pipeline.parameters;
  const [name, setName] = useState('main');
  const [cron, setCron] = useState(common(trans)[0][0]);
  const [timezone, setTimezone] = useState(
    () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
  );
  const [overlap, setOverlap] = useState<'skip' | 'queue' | 'cancel'>('skip');
  const [catchUp, setCatchUp] = useState<'none' | 'last' | 'all'>('last');
  const [texts, setTexts] = useState<Texts>(() =>
    Object.fromEntries(parameters.map(({ name: one, default_text: text }) => [one, text]))
  );
  const [queue, setQueue] = useState(AT_FIRST);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.addSchedule({
        path: pipeline.path,
        name,
        cron,
        timezone,
        overlap,
        catch_up: catchUp,
        arguments: chosen(parameters, texts),
        ...queueOptions(queue)
      });
      context.say(trans.__('%1 runs by itself from now on', `${pipeline.name}.${name}`));
      props.onClose();
    } catch (reason) {
      model.failed(reason);
      setError(reason as Error);
      setBusy(false);
    }
  };
  const told = error instanceof ApiError ? error.problems : [];

  return (
    <form
      className="jp-mlops-Form jp-mlops-AddForm"
      onSubmit={event => void submit(event)}
      noValidate
    >
      {error && <Failure error={error} />}
      <Choice
        label={trans.__('Pipeline')}
        value={pipeline.path}
        choices={props.pipelines.map(one => [one.path, `${one.name} (${one.path})`])}
        onChange={props.onChoose}
      />
      <Line label={trans.__('Name')} value={name} onChange={setName} />
      <Line label={trans.__('Cron')} value={cron} onChange={setCron} list="jp-mlops-crons" />
      <datalist id="jp-mlops-crons">
        {common(trans).map(([expression, words]) => (
          <option key={expression} value={expression}>
            {words}
          </option>
        ))}
      </datalist>
      <Line label={trans.__('Time zone')} value={timezone} onChange={setTimezone} />
      <NextFires context={context} cron={cron} timezone={timezone} />
      {parameters.length > 0 && (
        <Fold title={trans.__('Arguments')} count={parameters.length}>
          <p className="jp-mlops-hint">
            {trans.__('Text may hold what belongs to the fire:')}{' '}
            <code>{'${schedule.data_interval_start.date}'}</code>
          </p>
          {parameters.map(parameter => (
            <Field
              key={parameter.name}
              parameter={{
                ...parameter,
                type: holdsTemplate(texts[parameter.name]) ? 'str' : parameter.type
              }}
              text={texts[parameter.name] ?? ''}
              messages={[
                holdsTemplate(texts[parameter.name])
                  ? ''
                  : misfit(parameter, texts[parameter.name] ?? ''),
                ...told.filter(one => one.parameter === parameter.name).map(one => one.message)
              ].filter(Boolean)}
              onChange={text => setTexts(before => ({ ...before, [parameter.name]: text }))}
            />
          ))}
        </Fold>
      )}
      <Fold title={trans.__('When fires meet or are missed')}>
        <Choice
          label={trans.__('While an earlier run goes on')}
          value={overlap}
          choices={[
            ['skip', trans.__('skip the fire')],
            ['queue', trans.__('wait for its end')],
            ['cancel', trans.__('cancel the earlier run')]
          ]}
          onChange={value => setOverlap(value as typeof overlap)}
        />
        <Choice
          label={trans.__('Fires that were missed')}
          value={catchUp}
          choices={[
            ['none', trans.__('are left out')],
            ['last', trans.__('the last one runs late')],
            ['all', trans.__('all run late')]
          ]}
          onChange={value => setCatchUp(value as typeof catchUp)}
        />
      </Fold>
      <QueueFields context={context} texts={queue} onChange={setQueue} />
      <div className="jp-mlops-Form-buttons">
        <button type="button" className="jp-mlops-Button" onClick={props.onClose}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-mlops-Button jp-mod-primary" disabled={isBusy}>
          {isBusy ? trans.__('Checking…') : trans.__('Add')}
        </button>
      </div>
    </form>
  );
}

const holdsTemplate = (text: string | undefined): boolean => (text ?? '').includes('${');

/** When it fires next, or what is wrong with the expression: asked for once typing rests. */
function NextFires(props: { context: IContext; cron: string; timezone: string }): ReactElement {
  const { api, model, trans } = props.context;
  const [cron, timezone] = useRested(`${props.cron}\n${props.timezone}`).split('\n');
  const preview = useQuery(
    model,
    ['cron', cron, timezone],
    () => api.previewCron(cron, timezone, 3),
    ['-']
  );
  const isOfThis = preview.value?.expression !== undefined && !preview.error;
  return (
    <div className="jp-mlops-NextFires" role="status">
      {preview.error && <Failure error={preview.error} />}
      {isOfThis && (
        <>
          <span className="jp-mlops-muted">{trans.__('Next')}</span>
          <ul>
            {preview.value!.next.map(at => (
              <li key={at} className="jp-mlops-number">
                {onClock(at, preview.value!.timezone)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
