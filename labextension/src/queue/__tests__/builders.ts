/** Entries of the queue and limits as the server sends them. */
import type { QueueEntry, QuotaUse } from '../../types';

const NEEDS = { runs: 1, tasks: 1, cpu: 1, memory: 0, gpu: 0 };

export const entry = (more: Partial<QueueEntry> = {}): QueueEntry => ({
  run_id: '20261126-1',
  pipeline: 'train',
  state: 'waiting',
  position: 2,
  reason: 'waits for 1 gpu',
  starts_at: '2026-11-26T10:12:00Z',
  user_name: 'ana',
  group_name: '',
  queue: 'night',
  priority: 5,
  is_preemptible: true,
  preemptions: 0,
  needs: NEEDS,
  asks: NEEDS,
  granted: null,
  since_at: '2026-11-26T09:58:00Z',
  admitted_at: null,
  may_change: true,
  ...more
});

export const quota = (more: Partial<QuotaUse> = {}): QuotaUse => ({
  scope: 'all',
  name: '',
  resource: 'gpu',
  used: 4,
  limit: 4,
  is_monthly: false,
  ...more
});
