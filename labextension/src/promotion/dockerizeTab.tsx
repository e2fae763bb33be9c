/** The tab that makes a notebook, a pipeline or a model into the folder of an image: what is needed, why, and where it was written. */
import { type FormEvent, type ReactElement, useState } from 'react';
import { Line } from '../components/fields';
import { Fact, Failure, Fold } from '../components/pieces';
import type { Args, IContext } from '../tokens';
import type { Dockerized, DockerizedImage } from '../types';
import { WriteButtons } from './writing';

export const create = (context: IContext, args: Args): ReactElement => (
  <DockerizeTab context={context} target={args.target} />
);

/** Where it is written if nobody says otherwise: beside the notebook, or below the server's root. */
export function folderFor(target: string): string {
  const model = /^models:\/([^/@]+)/.exec(target);
  if (model) {
    return `${model[1]}-image`;
  }
  const cut = target.lastIndexOf('/') + 1;
  const stem = target.slice(cut).replace(/(\.pipeline)?\.(ipynb|ya?ml)$/, '');
  return `${target.slice(0, cut)}${stem}-image`;
}

function DockerizeTab({ context, target }: { context: IContext; target: string }): ReactElement {
  const { api, model, trans } = context;
  const [folder, setFolder] = useState(folderFor(target));
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [made, setMade] = useState<Dockerized | null>(null);
  const ask = async (isWritten: boolean): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      setMade(
        await api.dockerize({
          target,
          is_locked: isWritten, // a look is quick, and asks no index
          ...(isWritten ? { folder } : {})
        })
      );
    } catch (reason) {
      model.failed(reason);
      setError(reason as Error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void ask(true);
  };
  return (
    <div className="jp-mlops-DockerizeTab">
      <header className="jp-mlops-Tab-head">
        <h1>{trans.__('An image of %1', target)}</h1>
        <p className="jp-mlops-muted">
          {target.startsWith('models:')
            ? trans.__('It answers requests with the model.')
            : trans.__('It runs from top to bottom; its parameters are flags and variables.')}
        </p>
      </header>
      <form className="jp-mlops-Form jp-mlops-DockerizeTab-form" onSubmit={submit}>
        <Line
          label={trans.__('Folder for the Dockerfile')}
          value={folder}
          onChange={text => setFolder(text)}
        />
        <p className="jp-mlops-muted">
          {trans.__(
            'Every distribution is locked with its hashes: the index of packages is asked.'
          )}
        </p>
        <WriteButtons
          context={context}
          folder={folder}
          isBusy={isBusy}
          onLook={() => void ask(false)}
        />
      </form>
      {error && <Failure error={error} />}
      {made?.images.map(image => (
        <ImageReport key={image.name} image={image} context={context} />
      ))}
    </div>
  );
}

/** What an image needs and why, as tables. */
export function ImageReport(props: { image: DockerizedImage; context: IContext }): ReactElement {
  const { image, context } = props;
  return (
    <article data-image={image.name}>
      <h2>{image.name}</h2>
      {image.folder && (
        <p className="jp-mlops-Written">
          <button
            className="jp-mlops-Link"
            onClick={() => context.openFile(`${image.folder}/Dockerfile`)}
          >
            {image.folder}/Dockerfile
          </button>{' '}
          <code>docker build {image.folder}</code>
        </p>
      )}
      <dl className="jp-mlops-Facts">
        {Object.entries(image.facts).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
      {image.sections.map(section => (
        <Fold key={section.title} title={section.title} count={section.rows.length} isOpen>
          <table className="jp-mlops-Grid">
            <thead>
              <tr>
                {section.columns.map(column => (
                  <th key={column}>{column}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {section.rows.map((row, i) => (
                <tr key={i}>
                  {row.map((cell, j) => (
                    <td key={j}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Fold>
      ))}
    </article>
  );
}
