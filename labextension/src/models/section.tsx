/** The section Models: names, the newest version of each, where its aliases stand, and how good it is. */
import { type ReactElement, useState } from 'react';

import { Empty, Failure, Pager, Search, Waiting } from '../components/pieces';
import { ago, exactly } from '../format';
import { useQuery, useRested } from '../hooks';
import type { IContext } from '../tokens';
import type { ModelSummary } from '../types';
import { AliasBadge } from './badges';
import { headline, lastWord } from './facts';
import { short } from './plot';

export const createModels = (context: IContext): ReactElement => <Models context={context} />;

const PAGE = 50;

function Models({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const [search, setSearch] = useState('');
  const [offset, setOffset] = useState(0);
  const wanted = useRested(search);
  const list = useQuery(
    model,
    ['models', wanted, offset],
    () => api.models({ search: wanted, offset, limit: PAGE }),
    ['model']
  );
  return (
    <>
      <div className="jp-mlops-Bar">
        <Search
          value={search}
          label={trans.__('Search models')}
          onChange={text => {
            setSearch(text);
            setOffset(0);
          }}
        />
      </div>
      {!list.value && !list.error && <Waiting label={trans.__('Loading models')} />}
      {list.error && !list.value && (
        <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
      )}
      {list.value && !list.value.items.length && (
        <Empty title={search ? trans.__('No such models') : trans.__('No models yet')}>
          {!search && <p>{trans.__('A notebook registers one with mlops.register_model(…).')}</p>}
        </Empty>
      )}
      {list.value && (
        <>
          <ul className="jp-mlops-List">
            {list.value.items.map(one => (
              <ModelRow
                key={one.name}
                model={one}
                now={Date.now()}
                trans={trans}
                onOpen={() => context.open('model', { name: one.name })}
              />
            ))}
          </ul>
          <Pager
            page={list.value}
            labels={{ previous: trans.__('Back'), next: trans.__('On') }}
            onTurn={setOffset}
          />
        </>
      )}
    </>
  );
}

/** One model in the list. */
export function ModelRow(props: {
  model: ModelSummary;
  now: number;
  trans: { __: (text: string, ...values: unknown[]) => string };
  onOpen: () => void;
}): ReactElement {
  const { model, now, trans } = props;
  const metric = headline(model.metrics);
  const aliases = Object.entries(model.aliases).sort((a, b) => b[1] - a[1]);
  return (
    <li className="jp-mlops-Row" data-model={model.name}>
      <button
        className="jp-mlops-Row-main"
        title={[model.name, model.description, exactly(model.updated_at)]
          .filter(Boolean)
          .join('\n')}
        onClick={props.onOpen}
      >
        <span className="jp-mlops-Row-first">
          <span className="jp-mlops-name">{model.name}</span>
          {model.last_version !== null && (
            <span className="jp-mlops-Version">v{model.last_version}</span>
          )}
          <span className="jp-mlops-Row-when">{ago(model.updated_at, now)}</span>
        </span>
        <span className="jp-mlops-Row-second jp-mlops-ModelRow">
          <span className="jp-mlops-muted">
            {metric ? (
              <>
                {metric[0]} <span className="jp-mlops-number">{short(metric[1])}</span>
              </>
            ) : (
              lastWord(model.estimator) || trans.__('no versions')
            )}
          </span>
          <span className="jp-mlops-Badges">
            {aliases.slice(0, 3).map(([alias, version]) => (
              <AliasBadge key={alias} alias={alias} version={version} />
            ))}
            {aliases.length > 3 && <span className="jp-mlops-muted">+{aliases.length - 3}</span>}
          </span>
        </span>
      </button>
    </li>
  );
}
