/** The form of a new schedule: which pipeline, when, and with which arguments. */
import { type FormEvent, type ReactElement, useState } from 'react';

import { ApiError } from '../api';
import { Choice, Line } from '../components/fields';
import { chosen, misfit } from '../components/form';
import { Failure, Waiting } from '../components/pieces';
import { isTold, toldAt } from '../components/told';
import { useQuery } from '../hooks';
import { queueOptions } from '../panels/queueFields';
import type { IContext } from '../tokens';
import type { Parameter, Pipeline, PipelineSummary, ScheduleRequest } from '../types';
import { holdsTemplate, type IScheduleTexts, PLAIN, ScheduleFields } from './fields';
import { common, ownZone } from './words';

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
  const [texts, setTexts] = useState<IScheduleTexts>(() => ({
    ...PLAIN,
    cron: common(trans)[0][0],
    timezone: ownZone(),
    arguments: Object.fromEntries(parameters.map(one => [one.name, one.default_text]))
  }));
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.addSchedule({ path: pipeline.path, name, ...asked(texts, parameters) });
      context.say(trans.__('%1 runs by itself from now on', `${pipeline.name}.${name}`));
      props.onClose();
    } catch (reason) {
      model.failed(reason);
      setError(reason as Error);
      setBusy(false);
    }
  };
  const told = (key: string): string[] => {
    const parameter = parameters.find(one => key === `parameters.${one.name}`);
    const text = parameter && (texts.arguments[parameter.name] ?? '');
    return [
      parameter && !holdsTemplate(text) ? misfit(parameter, text ?? '') : '',
      ...(parameter && error instanceof ApiError
        ? error.problems.filter(one => one.parameter === parameter.name).map(one => one.message)
        : toldAt(error, FIELDS[key] ?? key))
    ].filter(Boolean);
  };

  return (
    <form
      className="jp-mlops-Form jp-mlops-AddForm"
      onSubmit={event => void submit(event)}
      noValidate
    >
      {error && !isTold(error, TOLD) && <Failure error={error} />}
      <Choice
        label={trans.__('Pipeline')}
        value={pipeline.path}
        choices={props.pipelines.map(one => [one.path, `${one.name} (${one.path})`])}
        onChange={props.onChoose}
      />
      <Line label={trans.__('Name')} value={name} onChange={setName} />
      <ScheduleFields
        context={context}
        parameters={parameters}
        texts={texts}
        told={told}
        onChange={setTexts}
      />
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

/** Keys of a pipeline's file that a request calls otherwise. */
const FIELDS: Readonly<Record<string, string>> = { jitter: 'jitter_seconds' };
/** What the server says of a field by its name. */
const TOLD = ['cron', 'timezone', 'jitter_seconds', 'start', 'end'];

/** What is sent: only what was chosen, where that can be left out. */
function asked(texts: IScheduleTexts, parameters: readonly Parameter[]): Partial<ScheduleRequest> {
  return {
    cron: texts.cron,
    timezone: texts.timezone.trim() || 'UTC',
    overlap: texts.overlap as ScheduleRequest['overlap'],
    catch_up: texts.catchUp as ScheduleRequest['catch_up'],
    arguments: chosen(parameters, texts.arguments),
    ...(texts.jitter.trim() ? { jitter_seconds: texts.jitter.trim() } : {}),
    ...(texts.start.trim() ? { start: texts.start.trim() } : {}),
    ...(texts.end.trim() ? { end: texts.end.trim() } : {}),
    ...(texts.isPaused ? { is_paused: true } : {}),
    ...queueOptions(texts.queue)
  };
}
