/** The section Features: views with their freshness, services with what they select. */
import { type ReactElement, useState } from 'react';

import { Empty, Failure, Fold, Search, Waiting } from '../components/pieces';
import { exactly } from '../format';
import { useQuery, useRested } from '../hooks';
import type { IContext } from '../tokens';
import type { FeatureList, FeatureView } from '../types';
import { age, FRESH_STROKES, freshness } from './words';

export const createFeatures = (context: IContext): ReactElement => <Features context={context} />;

type Trans = { __: (text: string, ...values: unknown[]) => string };

function Features({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const [search, setSearch] = useState('');
  const wanted = useRested(search, 100);
  const list = useQuery(model, ['features'], () => api.features(), ['feature']);
  const open = (name: string): void => context.open('feature', { name });
  return (
    <>
      <div className="jp-mlops-Bar">
        <Search value={search} label={trans.__('Search features')} onChange={setSearch} />
      </div>
      {!list.value && !list.error && <Waiting label={trans.__('Loading features')} />}
      {list.error && !list.value && (
        <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
      )}
      {list.value && <FeatureLists list={list.value} search={wanted} trans={trans} onOpen={open} />}
    </>
  );
}

/** What matches a search: a view by its name, its features, its owner or its tags. */
export function matching(list: FeatureList, search: string): FeatureList {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (...texts: string[]): boolean =>
    words.every(word => texts.some(text => text.toLowerCase().includes(word)));
  return {
    entities: list.entities,
    views: list.views.filter(view =>
      holds(
        view.name,
        view.description,
        view.owner,
        ...view.features.map(({ name }) => name),
        ...Object.values(view.tags)
      )
    ),
    services: list.services.filter(service =>
      holds(service.name, service.description, service.owner, ...service.features)
    )
  };
}

/** Views and services. */
export function FeatureLists(props: {
  list: FeatureList;
  search: string;
  trans: Trans;
  onOpen: (name: string) => void;
}): ReactElement {
  const { trans, search } = props;
  const { views, services } = matching(props.list, search);
  if (views.length + services.length === 0) {
    return (
      <Empty title={search ? trans.__('No such features') : trans.__('No features yet')}>
        {!search && <p>{trans.__('A notebook registers them with mlops.register_features(…).')}</p>}
      </Empty>
    );
  }
  return (
    <>
      <ul className="jp-mlops-List">
        {views.map(view => (
          <ViewRow
            key={view.name}
            view={view}
            trans={trans}
            onOpen={() => props.onOpen(view.name)}
          />
        ))}
      </ul>
      {services.length > 0 && (
        <Fold title={trans.__('Services')} count={services.length} isOpen>
          <ul className="jp-mlops-List jp-mlops-Services">
            {services.map(service => (
              <li key={service.name} title={service.features.join('\n')}>
                <span className="jp-mlops-name">{service.name}</span>
                <span className="jp-mlops-Services-views">
                  {viewsOf(service.features).map(name => (
                    <button key={name} className="jp-mlops-Link" onClick={() => props.onOpen(name)}>
                      {name}
                    </button>
                  ))}
                </span>
                <span className="jp-mlops-Row-when">
                  {trans.__('%1 features', service.features.length)}
                </span>
              </li>
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

/** The views that a service selects of: `view@version:feature`. */
export function viewsOf(features: readonly string[]): string[] {
  return [...new Set(features.map(one => one.split(/[@:]/)[0]))];
}

function ViewRow(props: { view: FeatureView; trans: Trans; onOpen: () => void }): ReactElement {
  const { view, trans } = props;
  const names = view.features.map(({ name }) => name);
  return (
    <li className="jp-mlops-Row" data-view={view.name}>
      <button
        className="jp-mlops-Row-main"
        title={[view.name, view.description, exactly(view.watermark_at), ...names]
          .filter(Boolean)
          .join('\n')}
        onClick={props.onOpen}
      >
        <span className="jp-mlops-Row-first">
          <FreshMark view={view} trans={trans} />
          <span className="jp-mlops-name">{view.name}</span>
          <span className="jp-mlops-Row-when">{age(view, trans)}</span>
        </span>
        <span className="jp-mlops-Row-second jp-mod-indented">
          <span className="jp-mlops-muted jp-mlops-Row-text">{names.join(', ')}</span>
        </span>
      </button>
    </li>
  );
}

/** How fresh, by color and sign. */
export function FreshMark({ view, trans }: { view: FeatureView; trans: Trans }): ReactElement {
  const kind = freshness(view);
  const words = {
    fresh: trans.__('fresh'),
    stale: trans.__('older than its ttl'),
    none: trans.__('not materialized'),
    always: trans.__('computed when asked')
  };
  return (
    <span className={`jp-mlops-State jp-mlops-Fresh jp-mod-${kind}`} title={words[kind]}>
      <svg viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={words[kind]}>
        <circle className="jp-mlops-State-disc" cx="8" cy="8" r="7" />
        <path className="jp-mlops-State-sign" d={FRESH_STROKES[kind]} />
      </svg>
    </span>
  );
}
