/** Machines, units and tasks as the server sends them. */
import { NO_RESOURCES } from '../../__tests__/samples';
import type { Compute, ComputeUnit, RunningTask, Unit, WaitingTask } from '../../types';

const GIB = 2 ** 30;

export const machine = (
  name: string,
  use: Partial<Unit['in_use']> = {},
  changes: Partial<Unit> = {}
): Unit => ({
  name,
  kind: 'machine',
  count: 4,
  cpu: 4,
  memory_bytes: 16 * GIB,
  gpu: 0,
  accelerator: null,
  in_use: {
    tasks: 0,
    cpu: 0,
    memory_bytes: 0,
    gpu: 0,
    load_percent: null,
    used_memory_bytes: null,
    ...use
  },
  ...changes
});

export const running = (task: string, changes: Partial<RunningTask> = {}): RunningTask => ({
  run_id: 'r1',
  pipeline: 'flights',
  task,
  resources: NO_RESOURCES,
  worker: '',
  user_name: 'ada',
  started_at: null,
  duration_seconds: 3,
  cell: 0,
  cells: 0,
  ...changes
});

export const waiting = (task: string, changes: Partial<WaitingTask> = {}): WaitingTask => ({
  run_id: 'r1',
  pipeline: 'flights',
  task,
  resources: NO_RESOURCES,
  why: 'waits for a place',
  since: '2026-01-01T12:00:00Z',
  user_name: 'ada',
  ...changes
});

export const compute = (changes: Partial<Compute> = {}): Compute => ({
  backend: 'local',
  units: [machine('here')],
  running: [],
  waiting: [],
  ...changes
});

export const unit = (changes: Partial<ComputeUnit> = {}): ComputeUnit => ({
  unit: 'cpu-here',
  kind: 'CPU',
  name: 'EPYC 9654',
  abstraction: 'process',
  cores: 2,
  memory_bytes: 8 * GIB,
  peak_flops: { float64: 1.47e11 },
  measured_flops: {},
  measured_bandwidth: null,
  measured_at: null,
  price_an_hour: null,
  price_of: '',
  ...changes
});
