/** The item in the status bar: how many tasks run, while any do. */
import { TextItem } from '@jupyterlab/statusbar';
import type { ReactElement } from 'react';
import { useConnection, useQuery } from '../hooks';
import type { IContext } from '../tokens';

export function RunningItem({ context }: { context: IContext }): ReactElement | null {
  const { api, model, trans } = context;
  const isReady = useConnection(model) === 'ready';
  const runs = useQuery(
    model,
    ['running', isReady],
    async () => (isReady ? await api.runs({ state: 'queued,running', limit: 100 }) : null),
    ['run']
  );
  const live = runs.value?.items.filter(run => run.is_driven) ?? [];
  if (!live.length) {
    return null;
  }
  const tasks = live.reduce((sum, run) => sum + (run.task_states.running ?? 0), 0);
  const said = trans._n('%1 run is under way', '%1 runs are under way', live.length);
  return (
    <TextItem
      source={tasks ? trans._n('%1 task running', '%1 tasks running', tasks) : said}
      title={said}
      className="jp-mlops-Running"
      onClick={() => {
        if (live.length === 1) {
          context.open('run', { runId: live[0].run_id, title: live[0].pipeline });
        } else {
          context.navigation.showSection('runs');
          context.app.shell.activateById('jupyter-mlops-panel');
        }
      }}
    />
  );
}
