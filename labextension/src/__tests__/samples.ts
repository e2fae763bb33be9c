/** Values as the server sends them, for the tests: whole, and easy to change in one place. */
import type { Graph, Parameter, Problem, Run, RunSummary, Status, TaskRun } from '../types';

/** Fills `%1` as JupyterLab's translator does. */
export const trans = {
  __: (text: string, ...values: unknown[]): string =>
    text.replace(/%(\d)/g, (_, i) => String(values[i - 1]))
};

/** What a task asks for that asks for nothing. */
export const NO_RESOURCES = {
  cpu: null,
  memory_bytes: null,
  gpu: null,
  accelerator: null,
  spot: null,
  image: null
};

export const summary = (changes: Partial<RunSummary> = {}): RunSummary => ({
  run_id: '20260101-120000-abcdef',
  pipeline: 'flights',
  pipeline_path: 'flights/pipeline.yaml',
  state: 'running',
  message: '',
  user_name: 'ada',
  created_at: '2026-01-01T12:00:00Z',
  started_at: '2026-01-01T12:00:01Z',
  finished_at: null,
  duration_seconds: null,
  task_states: { running: 1, queued: 1 },
  is_driven: true,
  is_cancel_requested: false,
  rerun_of: null,
  ...changes
});

export const task = (name: string, changes: Partial<TaskRun> = {}): TaskRun => ({
  task: name,
  name: name.split('[')[0],
  position: 0,
  state: 'queued',
  attempt: 0,
  reason: '',
  source_run_id: null,
  arguments: {},
  results: {},
  artifacts: {},
  has_notebook: false,
  error: null,
  worker: '',
  cell: 0,
  cells: 0,
  started_at: null,
  finished_at: null,
  duration_seconds: null,
  peak_memory_bytes: null,
  cpu_seconds: null,
  cpus: null,
  cpu_utilization: null,
  memory_utilization: null,
  gpu_utilization: null,
  notebook_path: null,
  upstream: [],
  is_critical: false,
  ...changes
});

export const graph = (ids: readonly string[], changes: Partial<Graph> = {}): Graph => ({
  width: 40 + 150 * ids.length,
  height: 86,
  direction: 'right',
  nodes: ids.map((id, index) => ({
    id,
    label: id,
    kind: 'task',
    x: 20 + 150 * index,
    y: 20,
    width: 110,
    height: 46
  })),
  edges: ids.slice(1).map((id, index) => ({
    source: ids[index],
    target: id,
    kind: 'parameters',
    points: [
      [130 + 150 * index, 43],
      [170 + 150 * index, 43]
    ]
  })),
  ...changes
});

export const run = (tasks: TaskRun[], changes: Partial<Run> = {}): Run => ({
  ...summary(),
  arguments: {},
  options: {},
  cpu_seconds: null,
  cpu_utilization: null,
  gpu_utilization: null,
  tasks,
  graph: graph(tasks.map(one => one.task)),
  critical_path: [],
  seq: 1,
  server_id: 's',
  ...changes
});

export const parameter = (name: string, changes: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'int',
  default: 3,
  default_text: '3',
  is_required: false,
  is_optional: false,
  is_secret: false,
  help: '',
  choices: null,
  minimum: null,
  maximum: null,
  step: null,
  ...changes
});

export const problem = (message: string, changes: Partial<Problem> = {}): Problem => ({
  message,
  hint: '',
  severity: 'error',
  where: '',
  file: null,
  line: null,
  task: null,
  parameter: null,
  ...changes
});

export const status = (changes: Partial<Status> = {}): Status => ({
  version: '1',
  server_id: 'a',
  seq: 5,
  user_name: 'ada',
  root: 'home',
  workspace: '.',
  is_fresh: false,
  ...changes
});
