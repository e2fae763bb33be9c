/** The tab of a model: how its versions did, which one the aliases name, and everything about the picked one. */
import { type ReactElement, useState } from 'react';

import { Empty, Failure, Pager, Waiting } from '../components/pieces';
import { ago, exactly } from '../format';
import { useQuery } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { ModelDetail } from '../types';
import { VersionAliases } from './aliasForm';
import { AliasBadge } from './badges';
import { CompareView } from './compareView';
import { MetricChart } from './metricChart';
import { CHARTS, Versions } from './versionsTable';
import { VersionView } from './versionView';

export const create = (context: IContext, args: Args): ReactElement => (
  <ModelTab context={context} name={args.name} />
);

const PAGE = 100;

function ModelTab({ context, name }: { context: IContext; name: string }): ReactElement {
  const { api, model, trans } = context;
  const [offset, setOffset] = useState(0);
  const [picked, setPicked] = useState<number | null>(null);
  const [compared, setCompared] = useState<readonly number[]>([]);
  const detail = useQuery(
    model,
    ['model', name, offset],
    () => api.modelDetail(name, { limit: PAGE, offset }),
    ['model']
  );
  const found = detail.value;
  if (!found) {
    return detail.error ? (
      <Failure error={detail.error} onRetry={detail.refresh} retry={trans.__('Try again')} />
    ) : (
      <Waiting label={trans.__('Loading the model')} />
    );
  }
  const version = picked ?? found.versions[0]?.version ?? null;
  return (
    <div className="jp-mlops-ModelTab">
      <header className="jp-mlops-Tab-head">
        <h1>{found.name}</h1>
        <span className="jp-mlops-Badges">
          {found.alias_list.map(({ alias, version: at, is_protected: isProtected }) => (
            <button key={alias} className="jp-mlops-Bare" onClick={() => setPicked(at)}>
              <AliasBadge alias={alias} version={at} isProtected={isProtected} />
            </button>
          ))}
        </span>
        {found.description && <p className="jp-mlops-muted">{found.description}</p>}
      </header>
      {found.versions.length === 0 && <Empty title={trans.__('No versions')} />}
      <div className="jp-mlops-ModelTab-body">
        <div className="jp-mlops-ModelTab-list">
          <Charts
            model={found}
            selected={compared.length > 1 ? compared : version === null ? [] : [version]}
            onSelect={setPicked}
            trans={trans}
          />
          <Versions
            model={found}
            picked={version}
            compared={compared}
            trans={trans}
            onPick={one => {
              setPicked(one);
              setCompared([]);
            }}
            onCompare={setCompared}
          />
          <Pager
            page={{
              items: found.versions,
              total: found.version_count,
              limit: found.limit,
              offset: found.offset
            }}
            labels={{ previous: trans.__('Newer'), next: trans.__('Older') }}
            onTurn={setOffset}
          />
          <History model={found} trans={trans} />
        </div>
        <div className="jp-mlops-ModelTab-detail">
          {compared.length > 1 ? (
            <Comparison key={compared.join()} context={context} name={name} versions={compared} />
          ) : (
            version !== null && (
              <Version
                key={version}
                context={context}
                name={name}
                version={version}
                aliases={
                  <VersionAliases
                    context={context}
                    model={found}
                    version={version}
                    onDone={detail.refresh}
                  />
                }
              />
            )
          )}
        </div>
      </div>
    </div>
  );
}

function Charts(props: {
  model: ModelDetail;
  selected: readonly number[];
  trans: IContext['trans'];
  onSelect: (version: number) => void;
}): ReactElement | null {
  const { model } = props;
  const versions = [...model.versions].reverse();
  if (versions.length < 2 || model.metric_names.length === 0) {
    return null;
  }
  return (
    <div className="jp-mlops-Charts">
      {model.metric_names.slice(0, CHARTS).map(name => (
        <MetricChart
          key={name}
          name={name}
          points={versions.map(one => ({
            version: one.version,
            value: one.metrics[name] ?? null,
            aliases: one.aliases
          }))}
          selected={props.selected}
          trans={props.trans}
          onSelect={props.onSelect}
        />
      ))}
    </div>
  );
}

function History({
  model,
  trans
}: {
  model: ModelDetail;
  trans: IContext['trans'];
}): ReactElement | null {
  if (model.alias_history.length === 0) {
    return null;
  }
  return (
    <details className="jp-mlops-Fold">
      <summary>
        {trans.__('Moves of aliases')}
        <span className="jp-mlops-count">{model.alias_history.length}</span>
      </summary>
      <ul className="jp-mlops-History">
        {model.alias_history.map((move, i) => (
          <li key={i}>
            <AliasBadge alias={move.alias} />
            <span>
              {move.old_version === null ? '–' : `v${move.old_version}`} →{' '}
              {move.new_version === null ? '–' : `v${move.new_version}`}
            </span>
            <span className="jp-mlops-muted" title={exactly(move.at)}>
              {move.user_name}, {ago(move.at, Date.now())}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Version(props: {
  context: IContext;
  name: string;
  version: number;
  aliases: ReactElement;
}): ReactElement {
  const { context, name, version } = props;
  const { value, error, refresh } = useQuery(
    context.model,
    ['version', name, version],
    () => context.api.modelVersion(name, version),
    ['model']
  );
  if (value) {
    return <VersionView context={context} version={value} aliases={props.aliases} />;
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={context.trans.__('Try again')} />
  ) : (
    <Waiting label={context.trans.__('Loading the version')} />
  );
}

function Comparison(props: {
  context: IContext;
  name: string;
  versions: readonly number[];
}): ReactElement {
  const { context, name, versions } = props;
  const { value, error, refresh } = useQuery(
    context.model,
    ['compare', name, ...versions],
    () => context.api.compareModels(name, versions),
    ['model']
  );
  if (value) {
    return <CompareView comparison={value} trans={context.trans} />;
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={context.trans.__('Try again')} />
  ) : (
    <Waiting label={context.trans.__('Comparing')} />
  );
}
