/** The tab that shows, and writes, a pipeline in the files of another orchestrator. */
import { type FormEvent, type ReactElement, useState } from 'react';
import { Check, Choice, Line } from '../components/fields';
import { Failure, Fold } from '../components/pieces';
import { isTold, toldAt } from '../components/told';
import { useQuery } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { Exported, ExportRequest } from '../types';
import { ImageFields, imagesAsked, type IImages, NO_IMAGES, placesOfImages } from './imageFields';
import { WriteButtons } from './writing';

type Target = ExportRequest['target'];

const TARGETS: readonly (readonly [Target, string])[] = [
  ['airflow', 'Airflow'],
  ['argo', 'Argo'],
  ['prefect', 'Prefect'],
  ['kubeflow', 'Kubeflow'],
  ['metaflow', 'Metaflow']
];

export const create = (context: IContext, args: Args): ReactElement => (
  <ExportTab context={context} path={args.path} />
);

/** Where the files of a target go if nobody says otherwise: beside the pipeline. */
export function exportFolder(path: string, target: string): string {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}${target}`;
}

function ExportTab({ context, path }: { context: IContext; path: string }): ReactElement {
  const { api, model, trans } = context;
  const [target, setTarget] = useState<Target>('airflow');
  const [folder, setFolder] = useState(exportFolder(path, 'airflow'));
  const [images, setImages] = useState<IImages>(NO_IMAGES);
  const [schedule, setSchedule] = useState('');
  const [timezone, setTimezone] = useState('UTC');
  const [isForced, setForced] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [made, setMade] = useState<Exported | null>(null);
  const environments = useQuery(model, ['environments', path], () => api.environments(path), [
    'pipeline'
  ]);
  const names = (environments.value?.items ?? []).map(({ name }) => name);
  const choose = (text: string): void => {
    setTarget(text as Target);
    setFolder(exportFolder(path, text));
    setMade(null);
    setError(null);
  };
  const ask = async (isWritten: boolean): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      setMade(
        await api.exportPipeline({
          path,
          target,
          ...imagesAsked(images, names),
          schedule,
          timezone: timezone || 'UTC',
          ...(isWritten ? { folder, is_forced: isForced } : {})
        })
      );
    } catch (reason) {
      model.failed(reason);
      setMade(null);
      setError(reason as Error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void ask(true);
  };
  const told = (field: string): string[] => toldAt(error, field);
  const fields = ['folder', 'schedule', 'timezone', ...placesOfImages(names)];
  return (
    <div className="jp-mlops-ExportTab">
      <header className="jp-mlops-Tab-head">
        <h1>{trans.__('%1 elsewhere', path)}</h1>
        <p className="jp-mlops-muted">
          {trans.__(
            'Each step starts one task of this pipeline there, so that it means what it means here.'
          )}
        </p>
      </header>
      <form className="jp-mlops-Form jp-mlops-ExportTab-form" onSubmit={submit}>
        <Choice
          label={trans.__('Orchestrator')}
          value={target}
          choices={TARGETS}
          onChange={choose}
        />
        <Line
          label={trans.__('Folder for its files')}
          value={folder}
          messages={told('folder')}
          onChange={setFolder}
        />
        <ImageFields
          context={context}
          path={path}
          environments={environments}
          images={images}
          told={told}
          onChange={setImages}
        />
        <Line
          label={trans.__('Schedule')}
          value={schedule}
          placeholder="0 6 * * 1"
          messages={told('schedule')}
          onChange={setSchedule}
        />
        <Line
          label={trans.__('Time zone')}
          value={timezone}
          messages={told('timezone')}
          onChange={setTimezone}
        />
        <Check
          label={trans.__('Overwrite files that differ')}
          isChecked={isForced}
          onChange={setForced}
        />
        <WriteButtons
          context={context}
          folder={folder}
          isBusy={isBusy}
          onLook={() => void ask(false)}
        />
      </form>
      {error && !isTold(error, fields) && <Failure error={error} />}
      {made && <ExportReport made={made} context={context} />}
    </div>
  );
}

/** What holds there in another way, and the files. */
export function ExportReport(props: { made: Exported; context: IContext }): ReactElement {
  const { made, context } = props;
  const { trans } = context;
  return (
    <article data-export={made.target}>
      <h2>{made.target}</h2>
      {made.notes.length > 0 ? (
        <>
          <p>{trans.__('Holds there in another way, or not at all:')}</p>
          <ul>
            {made.notes.map(note => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </>
      ) : (
        <p>{trans.__('All of it holds there as it does here.')}</p>
      )}
      {made.files.map(file => (
        <Fold key={file.name} title={file.name}>
          {made.folder && (
            <p className="jp-mlops-Written">
              <button
                className="jp-mlops-Link"
                onClick={() => context.openFile(`${made.folder}/${file.name}`)}
              >
                {made.folder}/{file.name}
              </button>
            </p>
          )}
          <pre>{file.text}</pre>
        </Fold>
      ))}
    </article>
  );
}
