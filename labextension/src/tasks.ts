/** What the pictures tell of a run's tasks. Pure. */
import { trans } from './language';
import type { IDagTask } from './components/dag';
import { duration, elapsed } from './format';
import type { Run, State, TaskRun } from './types';

/** One short line for a task in a picture: how long, or how far. */
export function detail(task: TaskRun, now: number): string {
  if (task.state === 'running') {
    const cells = task.cells ? trans.__('cell %1/%2', task.cell, task.cells) : '';
    return cells || duration(elapsed(task.started_at, null, now));
  }
  if (task.state === 'succeeded' || task.state === 'failed' || task.state === 'cancelled') {
    return duration(task.duration_seconds);
  }
  return '';
}

/** Each task of a run, by its key: for the picture of the run. */
export function byKey(run: Run, now: number): Map<string, IDagTask> {
  const isOver = run.finished_at !== null;
  return new Map(
    run.tasks.map(task => [
      task.task,
      { state: task.state, detail: detail(task, now), isCritical: isOver && task.is_critical }
    ])
  );
}

/** Each task of a run, by the name that the pipeline has for it: instances of a matrix or map count together. */
export function byName(run: Run, now: number): Map<string, IDagTask> {
  const groups = new Map<string, TaskRun[]>();
  for (const task of run.tasks) {
    groups.set(task.name, [...(groups.get(task.name) ?? []), task]);
  }
  return new Map(
    [...groups].map(([name, tasks]) => {
      const state = together(tasks.map(task => task.state));
      const done = tasks.filter(task => task.state !== 'queued' && task.state !== 'running').length;
      return [
        name,
        { state, detail: tasks.length > 1 ? `${done}/${tasks.length}` : detail(tasks[0], now) }
      ];
    })
  );
}

/** The state that several have together: what is under way first, then what went wrong, then what went well. */
export function together(states: readonly State[]): State {
  const has = (state: State): boolean => states.includes(state);
  if (has('running') || (has('queued') && states.some(state => state !== 'queued'))) {
    return 'running';
  }
  const order: State[] = [
    'failed',
    'upstream_failed',
    'cancelled',
    'queued',
    'succeeded',
    'cached',
    'skipped'
  ];
  return order.find(has) ?? 'queued';
}

/** The task to look at first: what failed, else what runs. */
export function foremost(run: Run): string {
  const first = (state: State): string | undefined =>
    run.tasks.find(task => task.state === state)?.task;
  return first('failed') ?? '';
}
