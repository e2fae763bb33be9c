/** Which container image each task of an exported pipeline starts in: one for all, one for each environment, or what was built. */
import type { ReactElement } from 'react';
import { Line } from '../components/fields';
import { Failure } from '../components/pieces';
import type { IQueryView } from '../hooks';
import type { IContext } from '../tokens';
import type { EnvironmentList, ExportRequest } from '../types';

export interface IImages {
  /** Of all that have no other. */
  image: string;
  /** Environment → its image. */
  own: Readonly<Record<string, string>>;
  /** The file in which dockerizing wrote what it built. */
  built: string;
}

export const NO_IMAGES: IImages = { image: '', own: {}, built: '' };

/** What is sent: only what was given, of environments that there are. */
export function imagesAsked(
  images: IImages,
  environments: readonly string[]
): Partial<ExportRequest> {
  const own = environments
    .map(name => [name, (images.own[name] ?? '').trim()])
    .filter(([, image]) => image);
  const built = images.built.trim();
  return {
    image: images.image.trim(),
    ...(own.length ? { images: Object.fromEntries(own) } : {}),
    ...(built ? { built } : {})
  };
}

/** The places at which the server may say that an image is wrong. */
export const placesOfImages = (environments: readonly string[]): string[] => [
  'image',
  'built',
  ...(environments.length > 1 ? environments.map(name => `images.${name}`) : [])
];

export function ImageFields(props: {
  context: IContext;
  /** The pipeline's. */
  path: string;
  environments: IQueryView<EnvironmentList>;
  images: IImages;
  told: (field: string) => string[];
  onChange: (images: IImages) => void;
}): ReactElement {
  const { environments, images, told, onChange } = props;
  const { trans } = props.context;
  const found = environments.value?.items ?? [];
  const isMany = found.length > 1;
  return (
    <>
      <Line
        label={trans.__('Container image that has the project')}
        value={images.image}
        placeholder={isMany ? trans.__('for all tasks that get no other') : undefined}
        messages={told('image')}
        onChange={image => onChange({ ...images, image })}
      />
      {!environments.value && !environments.error && (
        <p className="jp-mlops-muted" role="status">
          {trans.__('Looking which environments its tasks have…')}
        </p>
      )}
      {environments.error && !environments.value && (
        <>
          <p className="jp-mlops-muted">
            {trans.__('Which environments its tasks have cannot be told:')}
          </p>
          <Failure error={environments.error} />
        </>
      )}
      {isMany && (
        <fieldset className="jp-mlops-ImageFields">
          <legend>{trans.__('Images of its environments')}</legend>
          {found.map(({ name, tasks }) => (
            <Line
              key={name}
              label={name}
              value={images.own[name] ?? ''}
              placeholder={images.image || undefined}
              help={tasks.join(', ')}
              messages={told(`images.${name}`)}
              onChange={image => onChange({ ...images, own: { ...images.own, [name]: image } })}
            />
          ))}
        </fieldset>
      )}
      <Line
        label={trans.__('File that tells which images were built')}
        value={images.built}
        placeholder="images.json"
        help={
          <code>{`jupyter mlops dockerize ${props.path} --push IMAGE --json > images.json`}</code>
        }
        messages={told('built')}
        onChange={built => onChange({ ...images, built })}
      />
    </>
  );
}
