/** Schedules, their fires, and the pipelines they run, as the server sends them. */
import { graph } from '../../__tests__/samples';
import type {
  Fire,
  Parameter,
  Pipeline,
  PipelineSummary,
  Schedule,
  ScheduleDetail
} from '../../types';

export const fire = (state: Fire['state'], changes: Partial<Fire> = {}): Fire => ({
  schedule: 'flights.weekly',
  fire_at: '2026-01-02T05:00:00Z',
  first_at: '2026-01-02T05:00:00Z',
  count: 1,
  state,
  reason: '',
  run_id: null,
  is_backfill: false,
  started_at: null,
  finished_at: null,
  ...changes
});

export const schedule = (changes: Partial<Schedule> = {}): Schedule => ({
  name: 'flights.weekly',
  pipeline: 'flights',
  pipeline_path: 'flights/pipeline.yaml',
  path: 'flights/pipeline.yaml',
  cron: '0 6 * * MON',
  timezone: 'Europe/Berlin',
  parameters: {},
  catch_up: 'last',
  overlap: 'skip',
  jitter_seconds: 0,
  start: null,
  end: null,
  queue: null,
  priority: 0,
  is_preemptible: false,
  is_paused: false,
  next_at: '2026-01-02T15:00:00Z',
  due_at: '2026-01-02T15:00:00Z',
  user_name: 'ada',
  created_at: '2026-01-01T00:00:00Z',
  last: null,
  ...changes
});

export const detail = (
  changes: Partial<ScheduleDetail> = {},
  about: Partial<Schedule> = {}
): ScheduleDetail => ({
  schedule: schedule(about),
  next: [],
  history: [],
  problem: '',
  scheduler: 'this server',
  ...changes
});

export const summary = (path: string): PipelineSummary => ({
  path,
  name: path.split('/')[0],
  description: '',
  task_count: 1,
  error_count: 0,
  workspace: null,
  last_run: null
});

export const pipeline = (path: string, parameters: Parameter[] = []): Pipeline => ({
  path,
  name: path.split('/')[0],
  description: '',
  parameters,
  tasks: [],
  graph: graph([]),
  problems: [],
  text: '',
  digest: '',
  last_run: null
});
