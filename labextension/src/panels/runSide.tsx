/** Beside a run, while no task is chosen: what it was given, and what it gave. */
import type { ReactElement } from 'react';
import { Fact, Fold } from '../components/pieces';
import { Values } from '../components/values';
import { CostFold } from '../costs/view';
import { percent } from '../costs/words';
import { duration } from '../format';
import type { IContext } from '../tokens';
import type { Run } from '../types';

const MANY = 12;

export function RunSide({ context, run }: { context: IContext; run: Run }): ReactElement {
  const { trans } = context;
  const results = run.tasks.filter(task => Object.keys(task.results).length);
  const options = Object.fromEntries(
    Object.entries(run.options).filter(
      ([, value]) => value && (!Array.isArray(value) || value.length)
    )
  );
  return (
    <>
      <h2>{trans.__('This run')}</h2>
      <p className="jp-mlops-muted">
        {trans.__('Choose a task to see its notebook, log and results.')}
      </p>
      <dl className="jp-mlops-Facts">
        {run.cpu_seconds !== null && (
          <Fact name={trans.__('CPU time')}>
            {duration(run.cpu_seconds)}
            {run.cpu_utilization !== null &&
              trans.__(', %1 of what its tasks could use', percent(run.cpu_utilization))}
          </Fact>
        )}
        {run.gpu_utilization !== null && (
          <Fact name={trans.__('GPUs busy')}>{percent(run.gpu_utilization)}</Fact>
        )}
        {run.rerun_of && (
          <Fact name={trans.__('repeats')}>
            <button
              className="jp-mlops-Link"
              onClick={() => context.open('run', { runId: run.rerun_of!, title: run.pipeline })}
            >
              {run.rerun_of}
            </button>
          </Fact>
        )}
      </dl>
      <Fold title={trans.__('Arguments')} isOpen>
        <Values values={run.arguments} none={trans.__('None were given.')} />
      </Fold>
      {Object.keys(options).length > 0 && (
        <Fold title={trans.__('Options')} isOpen>
          <Values values={options} none="" />
        </Fold>
      )}
      <CostFold
        context={context}
        about={['run cost', run.run_id]}
        fetch={() => context.api.runCost(run.run_id)}
      />
      {results.length > 0 && (
        <Fold title={trans.__('Results')} isOpen>
          {results.slice(0, MANY).map(task => (
            <section key={task.task} className="jp-mlops-Results">
              <h3>{task.task}</h3>
              <Values values={task.results} none="" />
            </section>
          ))}
          {results.length > MANY && (
            <div className="jp-mlops-muted">
              {trans.__('… and of %1 more tasks: see Tasks.', results.length - MANY)}
            </div>
          )}
        </Fold>
      )}
    </>
  );
}
