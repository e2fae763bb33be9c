/** The tab that compares two runs of a pipeline; which two is chosen at its head. */
import { type ReactElement, useState } from 'react';
import { Comparison } from '../components/compare';
import { Empty, Failure, Waiting } from '../components/pieces';
import { ago, exactly } from '../format';
import { useQuery } from '../hooks';
import { word } from '../states';
import type { Args, IContext } from '../tokens';
import type { RunSummary } from '../types';

export function create(context: IContext, args: Args): ReactElement {
  return <Compare context={context} args={args} />;
}

function Compare({ context, args }: { context: IContext; args: Args }): ReactElement {
  const { api, model, trans } = context;
  const [right, setRight] = useState(args.right ?? '');
  const [left, setLeft] = useState(args.left ?? '');
  const [task, setTask] = useState('');
  const runs = useQuery(
    model,
    ['runs of', args.pipeline],
    () => api.runs({ pipeline: args.pipeline, limit: 200 }),
    ['run']
  );
  const items = runs.value?.items ?? [];
  const before = left || previous(items, right);
  const comparison = useQuery(
    model,
    ['compare', before, right, task],
    async () => (before && right ? await api.compareRuns(before, right, task || undefined) : null),
    ['run']
  );
  const labels = {
    arguments: trans.__('Arguments'),
    tasks: trans.__('Tasks'),
    left: trans.__('Before'),
    right: trans.__('After'),
    same: trans.__('Sources and outputs are the same.'),
    notebook: trans.__('Notebook'),
    name: trans.__('Name'),
    showNotebook: trans.__('What differs in the notebook')
  };
  if (runs.value && items.length < 2) {
    return <Empty title={trans.__('There is only one run of this pipeline yet')} />;
  }
  return (
    <>
      <div className="jp-mlops-Compare-row jp-mod-head">
        <h1>{args.pipeline}</h1>
        <Choice label={labels.left} runs={items} value={before} onChange={setLeft} />
        <Choice label={labels.right} runs={items} value={right} onChange={setRight} />
      </div>
      {comparison.error && <Failure error={comparison.error} />}
      {!comparison.value && !comparison.error && <Waiting label={trans.__('Comparing')} />}
      {comparison.value && (
        <Comparison comparison={comparison.value} task={task} labels={labels} onTask={setTask} />
      )}
    </>
  );
}

/** The run before a run: what one mostly wants to compare with. */
function previous(runs: readonly RunSummary[], runId: string): string {
  const at = runs.findIndex(run => run.run_id === runId);
  return (runs[at + 1] ?? runs[at - 1])?.run_id ?? '';
}

function Choice(props: {
  label: string;
  runs: readonly RunSummary[];
  value: string;
  onChange: (runId: string) => void;
}): ReactElement {
  const isListed = props.runs.some(run => run.run_id === props.value);
  return (
    <select
      className="jp-mlops-Input"
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {!isListed && <option value={props.value}>{props.value}</option>}
      {props.runs.map(run => (
        <option key={run.run_id} value={run.run_id} title={exactly(run.created_at)}>
          {`${ago(run.created_at, Date.now())} · ${word(run.state)} · ${run.run_id.split('-').pop()}`}
        </option>
      ))}
    </select>
  );
}
