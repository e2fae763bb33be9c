/** Estimates as the server sends them. */
import type { Estimate, Quote } from '../../types';

type Tasks = Quote['tasks'];
type BreakEven = Estimate['break_evens'][number];
type Suggestion = Estimate['suggestions'][number];

export const taskCost = (
  machine: string | null,
  changes: Partial<Tasks[number]> = {}
): Tasks[number] => ({
  task: 'fit',
  machine,
  amount: 1,
  hours: 1,
  share: 0.5,
  ...changes
});

export const quote = (place: string, total: number, changes: Partial<Quote> = {}): Quote => ({
  place,
  total,
  monthly: total * 30,
  unfit: [],
  is_approximate: false,
  as_of: '2026-11-01',
  notes: [],
  tasks: [taskCost(`${place}.large`)],
  ...changes
});

export const breakEven = (place: string, changes: Partial<BreakEven> = {}): BreakEven => ({
  place,
  own_monthly: 300,
  cloud_full: 900,
  utilization: 1 / 3,
  months: 9,
  ...changes
});

export const suggestion = (task: string, changes: Partial<Suggestion> = {}): Suggestion => ({
  task,
  asked_memory: null,
  peak_memory: 2 ** 30,
  memory: 2 ** 31,
  asked_cpu: null,
  busy_cpus: null,
  cpu: null,
  is_short: false,
  text: '',
  ...changes
});

export const estimate = (changes: Partial<Estimate> = {}): Estimate => ({
  subject: 'pipeline churn',
  hours: 1.5,
  currency: 'USD',
  runs_a_month: 30,
  basis: 'its schedules',
  quotes: [quote('aws', 2), quote('here', 1, { notes: ['power alone'], as_of: '' })],
  server: { name: 'r6615', monthly: 300 },
  utilization: 0.5,
  load: 0.2,
  break_evens: [breakEven('aws')],
  suggestions: [],
  warnings: [],
  ...changes
});
