/** Values as the server sends them, for the specs of the panels: whole, and easy to change in one place. */
import { graph, NO_RESOURCES, summary, task } from '../../__tests__/samples';
import type {
  Attempt,
  IPage,
  Log,
  Pipeline,
  PipelineList,
  PipelineSummary,
  Quotas,
  Task,
  TaskDetail,
  TaskError,
  TaskRun
} from '../../types';

export const pageOf = <T>(items: T[], changes: Partial<IPage<T>> = {}): IPage<T> => ({
  items,
  total: items.length,
  limit: 50,
  offset: 0,
  ...changes
});

export const listed = (changes: Partial<PipelineSummary> = {}): PipelineSummary => ({
  path: 'flights/pipeline.yaml',
  name: 'flights',
  description: '',
  task_count: 2,
  error_count: 0,
  workspace: null,
  last_run: null,
  ...changes
});

export const pipelines = (
  items: PipelineSummary[],
  changes: Partial<PipelineList> = {}
): PipelineList => ({ ...pageOf(items), is_complete: true, ...changes });

export const defined = (name: string, changes: Partial<Task> = {}): Task => ({
  name,
  notebook: `${name}.ipynb`,
  notebook_path: `flights/${name}.ipynb`,
  description: '',
  parameters: {},
  when: null,
  run_if: 'all_succeeded',
  matrix: {},
  map: null,
  retries: 0,
  timeout_seconds: null,
  resources: NO_RESOURCES,
  priority: 0,
  has_cache: true,
  files: [],
  upstream: [],
  line: null,
  ...changes
});

export const pipeline = (names: string[], changes: Partial<Pipeline> = {}): Pipeline => ({
  path: 'flights/pipeline.yaml',
  name: 'flights',
  description: '',
  parameters: [],
  tasks: names.map(name => defined(name)),
  graph: graph(names),
  problems: [],
  text: '',
  digest: '0',
  last_run: null,
  ...changes
});

export const failure = (changes: Partial<TaskError> = {}): TaskError => ({
  code: 'cell_failed',
  message: 'division by zero',
  hint: '',
  name: 'ZeroDivisionError',
  cell: 3,
  traceback: '',
  ...changes
});

export const attempt = (number: number, changes: Partial<Attempt> = {}): Attempt => ({
  attempt: number,
  state: 'succeeded',
  worker: 'w0',
  reason: '',
  error: null,
  started_at: '2026-01-01T12:00:00Z',
  finished_at: '2026-01-01T12:00:02Z',
  duration_seconds: 2,
  peak_memory_bytes: 0,
  cpu_seconds: null,
  cpus: null,
  cpu_utilization: null,
  gpu_utilization: null,
  ...changes
});

export const detail = (of: TaskRun, changes: Partial<TaskDetail> = {}): TaskDetail => ({
  run_id: summary().run_id,
  pipeline: 'flights',
  task: of,
  attempts: [],
  artifacts: [],
  why: [],
  flops_at_most: {},
  view_url: null,
  ...changes
});

export const log = (text: string, changes: Partial<Log> = {}): Log => ({
  text,
  offset: text.length,
  attempt: 1,
  is_complete: true,
  ...changes
});

export const quotas = (changes: Partial<Quotas> = {}): Quotas => ({
  is_set: true,
  user_name: 'ada',
  group_name: '',
  queues: ['default', 'night'],
  limits: [],
  ...changes
});

export const ended = (name: string, changes: Partial<TaskRun> = {}): TaskRun =>
  task(name, {
    state: 'succeeded',
    attempt: 1,
    started_at: '2026-01-01T12:00:00Z',
    finished_at: '2026-01-01T12:00:05Z',
    duration_seconds: 5,
    ...changes
  });
