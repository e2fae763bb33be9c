/** The section Deployments: which models answer where, and how they are. */
import { type ReactElement, useState } from 'react';

import { Empty, Failure, Fold, Waiting } from '../components/pieces';
import { StateMark } from '../components/state';
import { ago, bytes, exactly } from '../format';
import { useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { Deployment, Image } from '../types';
import { DeployForm } from './deployForm';
import { looks, served } from './words';

export const createDeployments = (context: IContext): ReactElement => (
  <Deployments context={context} />
);

type Trans = { __: (text: string, ...values: unknown[]) => string };

function Deployments({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const [isDeploying, setDeploying] = useState(false);
  const list = useQuery(model, ['deployments'], () => api.deployments(), ['deployment']);
  const images = useQuery(model, ['images'], () => api.images({ limit: 20 }), ['deployment']);
  if (!list.value) {
    return list.error ? (
      <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
    ) : (
      <Waiting label={trans.__('Loading deployments')} />
    );
  }
  const { items, targets } = list.value;
  return (
    <>
      <div className="jp-mlops-Bar">
        <button
          className="jp-mlops-Button"
          aria-expanded={isDeploying}
          onClick={() => setDeploying(!isDeploying)}
        >
          {trans.__('Deploy a model')}
        </button>
      </div>
      {isDeploying && (
        <DeployForm
          context={context}
          targets={targets}
          deployments={items}
          onClose={() => setDeploying(false)}
          onDeployed={name => {
            setDeploying(false);
            list.refresh();
            context.open('deployment', { name });
          }}
        />
      )}
      {!items.length && !isDeploying && (
        <Empty title={trans.__('Nothing is served')}>
          <p>
            {trans.__(
              'A deployment answers requests with a version of a registered model: here, or in a cloud.'
            )}
          </p>
        </Empty>
      )}
      <ul className="jp-mlops-List">
        {items.map(one => (
          <DeploymentRow
            key={one.name}
            deployment={one}
            now={Date.now()}
            trans={trans}
            onOpen={() => context.open('deployment', { name: one.name })}
          />
        ))}
      </ul>
      {images.value && images.value.total > 0 && (
        <Fold title={trans.__('Images')} count={images.value.total}>
          <ul className="jp-mlops-List jp-mlops-Images">
            {images.value.items.map(image => (
              <ImageRow key={`${image.digest} ${image.name}`} image={image} trans={trans} />
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

/** One deployment in the list. */
export function DeploymentRow(props: {
  deployment: Deployment;
  now: number;
  trans: Trans;
  onOpen: () => void;
}): ReactElement {
  const { deployment, now, trans } = props;
  return (
    <li className="jp-mlops-Row" data-deployment={deployment.name}>
      <button
        className="jp-mlops-Row-main"
        title={[deployment.name, deployment.url, deployment.message, exactly(deployment.updated_at)]
          .filter(Boolean)
          .join('\n')}
        onClick={props.onOpen}
      >
        <span className="jp-mlops-Row-first">
          <span title={deployment.state}>
            <StateMark state={looks(deployment.state)} />
          </span>
          <span className="jp-mlops-name">{deployment.name}</span>
          <span className="jp-mlops-Row-when">{ago(deployment.updated_at, now)}</span>
        </span>
        <span className="jp-mlops-Row-second jp-mod-indented">
          <span className="jp-mlops-muted jp-mlops-Row-text">
            {[
              deployment.name === deployment.model ? '' : deployment.model,
              served(deployment.traffic),
              deployment.alias && trans.__('follows %1', deployment.alias)
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
          <span className="jp-mlops-Row-when">{deployment.target}</span>
        </span>
      </button>
    </li>
  );
}

function ImageRow({ image, trans }: { image: Image; trans: Trans }): ReactElement {
  return (
    <li title={[image.name, image.digest, image.platforms.join(', ')].join('\n')}>
      <span className="jp-mlops-name">{image.name}</span>
      <span className="jp-mlops-muted">
        {[
          image.source,
          bytes(image.size_bytes),
          image.is_pushed ? '' : trans.__('not pushed'),
          image.is_signed ? trans.__('signed') : ''
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
    </li>
  );
}
