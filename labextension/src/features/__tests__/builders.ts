/** Feature views and what is known of their values, as the server sends them. */
import type {
  Drift,
  Expectation,
  FeatureList,
  FeatureProfile,
  FeatureView,
  FeatureViewDetail
} from '../../types';

const AT = '2026-01-02T09:00:00Z';

export const view = (name: string, changes: Partial<FeatureView> = {}): FeatureView => ({
  name,
  version: 'abcdef0123456789',
  kind: 'sql',
  entities: ['airport'],
  ttl_seconds: 6 * 3600,
  features: [
    { name: 'temp', dtype: 'float64' },
    { name: 'sky', dtype: 'string' }
  ],
  owner: '',
  tags: {},
  description: '',
  watermark_at: AT,
  freshness_seconds: 2 * 3600,
  rows: 12_345,
  ...changes
});

export type Service = FeatureList['services'][number];
export const service = (name: string, ...features: string[]): Service => ({
  name,
  version: '1',
  features,
  owner: '',
  tags: {},
  description: ''
});

export const list = (views: FeatureView[], services: Service[] = []): FeatureList => ({
  entities: [],
  views,
  services
});

export const detail = (
  changes: Partial<FeatureViewDetail> = {},
  about: Partial<FeatureView> = {}
): FeatureViewDetail => ({
  view: view('weather', about),
  time_zone: '',
  event_timestamp: 'at',
  keys: { airport: 'string' },
  source_text: '',
  source_language: '',
  database: '',
  aggregations: [],
  expectations: [],
  versions: [],
  services: [],
  materializations: [],
  profile: null,
  profile_before: null,
  drift: [],
  ...changes
});

export const profile = (name: string, changes: Partial<FeatureProfile> = {}): FeatureProfile => ({
  name,
  dtype: 'float64',
  null_share: 0,
  distinct: null,
  mean: null,
  stddev: null,
  minimum: null,
  maximum: null,
  histogram: null,
  top: [],
  ...changes
});

export const drift = (
  feature: string,
  psi: number | null,
  changes: Partial<Drift> = {}
): Drift => ({
  feature,
  psi,
  ks: 0.1,
  is_drifted: (psi ?? 0) >= 0.2,
  ...changes
});

export const expectation = (changes: Partial<Expectation> = {}): Expectation => ({
  check: 'between',
  feature: 'temp',
  text: 'is between -40 and 50',
  severity: 'error',
  is_met: true,
  message: '',
  ...changes
});

export type Batch = FeatureViewDetail['materializations'][number];
export const batch = (state: Batch['state'], changes: Partial<Batch> = {}): Batch => ({
  materialization_id: `m-${state}`,
  version: 'abc',
  state,
  start_at: null,
  end_at: AT,
  rows: 1000,
  online_rows: 0,
  message: '',
  run_id: null,
  created_at: AT,
  finished_at: null,
  ...changes
});
