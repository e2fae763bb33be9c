/** The section Runs: the history, newest first, a page at a time, filtered by the server. */
import { type ReactElement, useState } from 'react';
import { Empty, Failure, Pager, Search, Waiting } from '../components/pieces';
import { RunRow } from '../components/runRow';
import { useNow, usePreferences, useQuery, useRested } from '../hooks';
import { isLive } from '../states';
import type { IContext } from '../tokens';

export const createRuns = (context: IContext): ReactElement => <Runs context={context} />;

function Runs({ context }: { context: IContext }): ReactElement {
  const { api, model, trans } = context;
  const [search, setSearch] = useState('');
  const [state, setState] = useState('');
  const [offset, setOffset] = useState(0);
  const wanted = useRested(search);
  const { pageSize } = usePreferences(context.preferences);
  const list = useQuery(
    model,
    ['runs', wanted, state, offset, pageSize],
    () => api.runs({ search: wanted, state, offset, limit: pageSize }),
    ['run']
  );
  const now = useNow(list.value?.items.some(run => isLive(run.state)) ?? false);
  const filters: [string, string][] = [
    ['', trans.__('All')],
    ['queued,running', trans.__('Live')],
    ['failed', trans.__('Failed')],
    ['succeeded', trans.__('Succeeded')],
    ['cancelled', trans.__('Cancelled')]
  ];
  const change = (apply: () => void): void => {
    apply();
    setOffset(0);
  };
  return (
    <>
      <div className="jp-mlops-Bar">
        <Search
          value={search}
          label={trans.__('Search runs')}
          onChange={text => change(() => setSearch(text))}
        />
        <select
          className="jp-mlops-Input jp-mlops-Filter"
          aria-label={trans.__('State')}
          value={state}
          onChange={event => change(() => setState(event.target.value))}
        >
          {filters.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {!list.value && !list.error && <Waiting label={trans.__('Loading runs')} />}
      {list.error && !list.value && (
        <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
      )}
      {list.value && !list.value.items.length && (
        <Empty title={search || state ? trans.__('No such runs') : trans.__('Nothing has run yet')}>
          {!search && !state && (
            <p>{trans.__('Runs of this workspace show up here, whoever starts them.')}</p>
          )}
        </Empty>
      )}
      {list.value && (
        <>
          <ul className="jp-mlops-List">
            {list.value.items.map(run => (
              <RunRow
                key={run.run_id}
                run={run}
                now={now}
                onOpen={({ run_id, pipeline }) =>
                  context.open('run', { runId: run_id, title: pipeline })
                }
              />
            ))}
          </ul>
          <Pager
            page={list.value}
            labels={{ previous: trans.__('Newer'), next: trans.__('Older') }}
            onTurn={setOffset}
          />
        </>
      )}
    </>
  );
}
