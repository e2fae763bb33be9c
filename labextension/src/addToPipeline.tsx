/** "Add to pipeline": which one is asked for in a dialog; then the notebook is a task of it, and the editor shows it. */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { type FormEvent, type ReactElement, useState } from 'react';
import { Choice } from './components/fields';
import { Failure } from './components/pieces';
import { EDITOR, type IContext } from './tokens';
import type { PipelineSummary } from './types';

const MOST = 200;

/** See the module. */
export async function addToPipeline(context: IContext, notebook: string): Promise<void> {
  const { api, trans } = context;
  const { items } = await api.pipelines({ limit: MOST });
  if (!items.length) {
    throw new Error(trans.__('There is no pipeline yet: write one with `jupyter mlops init`'));
  }
  let dialog: Dialog<unknown> | null = null;
  const body = ReactWidget.create(
    <Question
      context={context}
      pipelines={nearestFirst(items, notebook)}
      add={async path => {
        const { task, wired } = await append(context, path, notebook);
        const names = Object.keys(wired);
        context.say(
          names.length
            ? trans.__('%1 is a task of %2 now; it takes %3', task, path, names.join(', '))
            : trans.__('%1 is a task of %2 now', task, path)
        );
        dialog?.reject(); // closes it: there is no button of its own to answer with
        context.openFile(path, EDITOR);
      }}
      onCancel={() => dialog?.reject()}
    />
  );
  body.addClass('jp-mlops');
  body.addClass('jp-mlops-Dialog');
  dialog = new Dialog({
    title: trans.__('Add %1 to a pipeline', PathExt.basename(notebook)),
    body,
    buttons: [],
    hasClose: true
  });
  await dialog.launch().catch(() => undefined);
}

function Question(props: {
  context: IContext;
  pipelines: readonly PipelineSummary[];
  add: (path: string) => Promise<void>;
  onCancel: () => void;
}): ReactElement {
  const { context, pipelines } = props;
  const { model, trans } = context;
  const [path, setPath] = useState(pipelines[0].path);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    props.add(path).catch(reason => {
      model.failed(reason);
      setError(reason as Error);
      setBusy(false);
    });
  };
  return (
    <form className="jp-mlops-Form" onSubmit={submit}>
      {error && <Failure error={error} />}
      <Choice
        label={trans.__('Pipeline')}
        value={path}
        choices={pipelines.map(each => [each.path, `${each.name} (${each.path})`])}
        onChange={setPath}
      />
      <p className="jp-mlops-muted">
        {trans.__(
          'It becomes a task at the end. Its parameters are given by the pipeline’s parameters and the results of its last run that have the same names.'
        )}
      </p>
      <div className="jp-mlops-Form-buttons">
        <button type="button" className="jp-mlops-Button" onClick={props.onCancel}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-mlops-Button jp-mod-primary" disabled={isBusy}>
          {trans.__('Add')}
        </button>
      </div>
    </form>
  );
}

/** Those in the notebook's own folder first, then in the folders above it. */
export function nearestFirst(
  pipelines: readonly PipelineSummary[],
  notebook: string
): PipelineSummary[] {
  const near = ({ path }: PipelineSummary): number => {
    const folder = PathExt.dirname(path);
    return !folder || notebook.startsWith(`${folder}/`) ? folder.length : -1;
  };
  return [...pipelines].sort((a, b) => near(b) - near(a) || a.path.localeCompare(b.path));
}

/** The file is changed in its text; somebody else's change meanwhile is a conflict that the server tells. */
async function append(
  context: IContext,
  path: string,
  notebook: string
): Promise<{ task: string; wired: Readonly<Record<string, string>> }> {
  const { api } = context;
  const [{ addNotebook, relativeTo }, pipeline, { parameters }] = await Promise.all([
    import('./editor/adding'),
    api.pipeline(path),
    api.notebookParameters(notebook)
  ]);
  const [last] = (await api.runs({ pipeline: pipeline.name, state: 'succeeded', limit: 1 })).items;
  const tasks = last ? (await api.run(last.run_id)).tasks : [];
  const made = addNotebook(
    pipeline.text,
    relativeTo(path, notebook),
    parameters.map(({ name }) => name),
    tasks
      .filter(({ task, name }) => task === name)
      .map(({ task, results }) => ({ task, results: Object.keys(results) }))
  );
  await api.savePipeline(path, made.text, pipeline.digest);
  return made;
}
