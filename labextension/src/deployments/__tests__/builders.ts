/** Deployments, their replicas, revisions and images, as the server sends them. */
import type { Deployment, DeploymentDetail, DeploymentRevision, Image, Replica } from '../../types';

const AT = '2026-01-02T09:00:00Z';

export const deployment = (changes: Partial<Deployment> = {}): Deployment => ({
  name: 'flights',
  target: 'local',
  model: 'late',
  alias: '',
  state: 'running',
  message: '',
  url: 'http://127.0.0.1:8080',
  revision: 3,
  traffic: { '3': 1 },
  shadow: {},
  image: '',
  reason: 'deploy',
  replicas: [2, 4],
  user_name: 'ada',
  created_at: AT,
  updated_at: AT,
  ...changes
});

export const revision = (
  number: number,
  changes: Partial<DeploymentRevision> = {}
): DeploymentRevision => ({
  revision: number,
  traffic: { [number]: 1 },
  shadow: {},
  image: '',
  reason: 'deploy',
  user_name: 'ada',
  created_at: AT,
  ...changes
});

export const replica = (name: string, changes: Partial<Replica> = {}): Replica => ({
  name,
  state: 'running',
  revision: 3,
  message: '',
  restarts: 0,
  requests: 0,
  errors: 0,
  ...changes
});

export const detail = (
  changes: Partial<DeploymentDetail> = {},
  about: Partial<Deployment> = {}
): DeploymentDetail => ({
  deployment: deployment(about),
  live_state: '',
  live_message: '',
  live_revision: 3,
  replicas: [],
  metrics: {},
  revisions: [revision(3), revision(2)],
  trouble: '',
  example: null,
  ...changes
});

export const image = (name: string, changes: Partial<Image> = {}): Image => ({
  digest: `sha256:${name}`,
  name,
  kind: 'serving',
  source: 'models:/late/3',
  is_pushed: true,
  is_signed: false,
  platforms: ['linux/amd64'],
  size_bytes: 1024 ** 3,
  builder: 'buildkit',
  run_id: '',
  user_name: 'ada',
  created_at: AT,
  ...changes
});
