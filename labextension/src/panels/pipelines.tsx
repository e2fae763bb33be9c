/** The section Pipelines: every pipeline under the server's root; one at a time is unfolded, with its picture. */
import { type ReactElement, useEffect, useReducer, useState } from 'react';
import { Dag } from '../components/dag';
import { Empty, Failure, Pager, Problems, Search, Waiting } from '../components/pieces';
import { StateBar, StateMark } from '../components/state';
import { ago, duration } from '../format';
import { useNow, usePreferences, useQuery, useRested } from '../hooks';
import { playIcon } from '../icons';
import { byName } from '../tasks';
import { isInterrupted, isLive } from '../states';
import { EDITOR, type IContext } from '../tokens';
import type { PipelineSummary } from '../types';
import { PipelineForm } from './runForm';

const MANY = 8; // from so many on, a search helps more than it takes room

export const createPipelines = (context: IContext): ReactElement => <Pipelines context={context} />;

function Pipelines({ context }: { context: IContext }): ReactElement {
  const { api, model, navigation, trans } = context;
  const [, update] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    navigation.changed.connect(update);
    return () => void navigation.changed.disconnect(update);
  }, [navigation]);
  const [search, setSearch] = useState('');
  const [offset, setOffset] = useState(0);
  const wanted = useRested(search);
  const list = useQuery(
    model,
    ['pipelines', wanted, offset],
    () => api.pipelines({ search: wanted, offset }),
    ['run', 'pipeline']
  );
  if (!list.value) {
    return list.error ? (
      <Failure error={list.error} onRetry={list.refresh} retry={trans.__('Try again')} />
    ) : (
      <Waiting label={trans.__('Looking for pipelines')} />
    );
  }
  const { items, total } = list.value;
  return (
    <>
      {(total > MANY || search) && (
        <div className="jp-mlops-Bar">
          <Search
            value={search}
            label={trans.__('Search pipelines')}
            onChange={text => {
              setSearch(text);
              setOffset(0);
            }}
          />
        </div>
      )}
      {!items.length && !search && (
        <Empty title={trans.__('No pipelines yet')}>
          <p>
            {trans.__(
              'A pipeline is a file named pipeline.yaml that says which notebooks run, and in which order.'
            )}
          </p>
          <p>
            {trans.__('Write one with ')}
            <code>jupyter mlops init</code>
          </p>
        </Empty>
      )}
      {!items.length && search && <Empty title={trans.__('Nothing is called so')} />}
      <ul className="jp-mlops-List">
        {items.map(item => (
          <PipelineItem
            key={item.path}
            context={context}
            item={item}
            isOpen={
              navigation.pipeline === item.path || (items.length === 1 && !navigation.pipeline)
            }
          />
        ))}
      </ul>
      {!list.value.is_complete && (
        <p className="jp-mlops-note">
          {trans.__('Some folders were not searched: there are too many below this server’s root.')}
        </p>
      )}
      <Pager
        page={list.value}
        labels={{ previous: trans.__('Previous page'), next: trans.__('Next page') }}
        onTurn={setOffset}
      />
    </>
  );
}

function PipelineItem(props: {
  context: IContext;
  item: PipelineSummary;
  isOpen: boolean;
}): ReactElement {
  const { context, item, isOpen } = props;
  const { navigation, trans } = context;
  const last = item.last_run;
  const now = useNow(last !== null && isLive(last.state));
  return (
    <li className={`jp-mlops-Pipeline${isOpen ? ' jp-mod-open' : ''}`} data-path={item.path}>
      <div className="jp-mlops-Row">
        <button
          className="jp-mlops-Row-main"
          aria-expanded={isOpen}
          title={`${item.path}${item.description ? `\n${item.description}` : ''}`}
          onClick={() => navigation.showPipeline(isOpen ? '-' : item.path)}
        >
          <span className="jp-mlops-Row-first">
            <span className="jp-mlops-name">{item.name}</span>
            {item.error_count > 0 && (
              <span className="jp-mlops-Badge jp-mod-error">
                {trans._n('%1 mistake', '%1 mistakes', item.error_count)}
              </span>
            )}
          </span>
          <span className="jp-mlops-Row-second">
            {last ? (
              <>
                <StateMark state={last.state} />
                {isLive(last.state) ? (
                  <>
                    <StateBar states={last.task_states} />
                    {isInterrupted(last, now) && <span>{trans.__('interrupted')}</span>}
                  </>
                ) : (
                  <span>
                    {ago(last.finished_at ?? last.created_at, now)} ·{' '}
                    {duration(last.duration_seconds)}
                  </span>
                )}
              </>
            ) : (
              <span>{trans._n('%1 task, never run', '%1 tasks, never run', item.task_count)}</span>
            )}
          </span>
        </button>
        <button
          className="jp-mlops-IconButton"
          title={trans.__('Run %1…', item.name)}
          aria-label={trans.__('Run %1…', item.name)}
          onClick={() => navigation.showPipeline(item.path, true)}
        >
          <playIcon.react tag="span" />
        </button>
      </div>
      {isOpen && <PipelineDetail context={context} item={item} />}
    </li>
  );
}

function PipelineDetail({
  context,
  item
}: {
  context: IContext;
  item: PipelineSummary;
}): ReactElement {
  const { api, model, navigation, trans } = context;
  const pipeline = useQuery(model, ['pipeline', item.path], () => api.pipeline(item.path, 'down'), [
    'pipeline'
  ]);
  const { showCosts } = usePreferences(context.preferences);
  const lastId = item.last_run?.run_id ?? '';
  const run = useQuery(
    model,
    ['run', lastId],
    async () => (lastId ? await api.run(lastId) : null),
    ['run'],
    lastId
  );
  const now = useNow(run.value ? isLive(run.value.state) : false);
  if (!pipeline.value) {
    return pipeline.error ? (
      <Failure error={pipeline.error} />
    ) : (
      <Waiting label={trans.__('Reading %1', item.path)} />
    );
  }
  const { description, graph, problems } = pipeline.value;
  const isFormOpen = navigation.isFormOpen && navigation.pipeline === item.path;
  const errors = problems.filter(({ severity }) => severity === 'error');
  return (
    <div className="jp-mlops-Pipeline-detail">
      {description && <p className="jp-mlops-muted">{description}</p>}
      {isFormOpen ? (
        <PipelineForm
          context={context}
          path={item.path}
          name={item.name}
          parameters={pipeline.value.parameters}
          onClose={() => navigation.showPipeline(item.path)}
        />
      ) : (
        <div className="jp-mlops-Buttons">
          <button
            className="jp-mlops-Button jp-mod-primary"
            onClick={() => navigation.showPipeline(item.path, true)}
          >
            {trans.__('Run…')}
          </button>
          <button className="jp-mlops-Button" onClick={() => context.openFile(item.path, EDITOR)}>
            {trans.__('Edit')}
          </button>
          <button className="jp-mlops-Button" onClick={() => context.openFile(item.path, 'Editor')}>
            {trans.__('YAML')}
          </button>
          {lastId && showCosts && (
            <button
              className="jp-mlops-Button"
              onClick={() => context.open('cost', { path: item.path, title: item.name })}
            >
              {trans.__('Cost')}
            </button>
          )}
          <button
            className="jp-mlops-Button"
            title={trans.__('A Dockerfile and all that belongs to it')}
            onClick={() => context.open('dockerize', { target: item.path })}
          >
            {trans.__('Image…')}
          </button>
          <button
            className="jp-mlops-Button"
            title={trans.__('The files of another orchestrator')}
            onClick={() => context.open('export', { path: item.path })}
          >
            {trans.__('Export…')}
          </button>
          {lastId && (
            <button
              className="jp-mlops-Button"
              onClick={() => context.open('run', { runId: lastId, title: item.name })}
            >
              {trans.__('Last run')}
            </button>
          )}
        </div>
      )}
      <Problems problems={errors} />
      {graph.nodes.length > 0 && (
        <Dag
          graph={graph}
          label={trans.__('The tasks of %1', item.name)}
          tasks={run.value ? byName(run.value, now) : undefined}
          leastScale={0.5}
          isSmall
          onSelect={task => {
            if (run.value) {
              const key = run.value.tasks.find(({ name }) => name === task)?.task ?? '';
              context.open('run', { runId: run.value.run_id, title: item.name, task: key });
            } else {
              const path = pipeline.value?.tasks.find(({ name }) => name === task)?.notebook_path;
              path && context.openFile(path);
            }
          }}
        />
      )}
    </div>
  );
}
