/** A model, its versions and what they hold, as the server sends them: whole, and easy to change in one place. */
import type {
  Alias,
  AliasMove,
  Envelope,
  Lineage,
  ModelComparison,
  ModelDetail,
  ModelSummary,
  ModelVersion,
  ModelVersionSummary
} from '../../types';

const AT = '2026-01-02T09:00:00Z';

export const version = (
  number: number,
  changes: Partial<ModelVersionSummary> = {}
): ModelVersionSummary => ({
  name: 'late',
  version: number,
  estimator: 'sklearn.linear_model.LogisticRegression',
  format: 'skops',
  metrics: { auc: 0.5 + number / 10 },
  tags: {},
  description: '',
  aliases: [],
  run_id: null,
  task: null,
  user_name: 'ada',
  created_at: AT,
  size_bytes: 2048,
  check: 'quick',
  origin: '',
  ...changes
});

export const summary = (changes: Partial<ModelSummary> = {}): ModelSummary => ({
  name: 'late',
  description: '',
  tags: {},
  last_version: 3,
  version_count: 3,
  aliases: {},
  metrics: { auc: 0.8 },
  estimator: 'sklearn.linear_model.LogisticRegression',
  user_name: 'ada',
  created_at: AT,
  updated_at: AT,
  ...changes
});

export const alias = (name: string, at: number, isProtected = false): Alias => ({
  name: 'late',
  alias: name,
  version: at,
  is_protected: isProtected,
  user_name: 'ada',
  updated_at: AT
});

export const move = (
  name: string,
  from: number | null,
  to: number | null,
  user = 'ada'
): AliasMove => ({ alias: name, old_version: from, new_version: to, user_name: user, at: AT });

export const detail = (changes: Partial<ModelDetail> = {}): ModelDetail => ({
  ...summary(),
  versions: [version(3), version(2), version(1)],
  alias_list: [],
  alias_history: [],
  metric_names: ['auc'],
  limit: 100,
  offset: 0,
  ...changes
});

export const envelope = (changes: Partial<Envelope> = {}): Envelope => ({
  definition: {},
  parameters: {},
  featurize: null,
  predict: null,
  dependencies: {},
  data: [],
  code: {},
  run: {},
  artifacts: {},
  metrics: {},
  signature: {},
  example: {},
  tags: {},
  description: '',
  files: {},
  check: {},
  digest: 'sha256:feed',
  ...changes
});

/** Nodes `kind label`, one after the other; the last is the version itself. */
export const lineage = (...nodes: string[]): Lineage => {
  const told = nodes.map((node, i) => {
    const [kind, label] = node.split(' ');
    return { id: node, kind, label, is_self: i === nodes.length - 1 };
  });
  const edges = told.slice(1).map((node, i) => [told[i].id, node.id]);
  return {
    nodes: told,
    edges,
    graph: {
      width: 160 * told.length,
      height: 60,
      direction: 'right',
      nodes: told.map(({ id, label }, i) => ({
        id,
        label,
        kind: 'task',
        x: 160 * i,
        y: 10,
        width: 140,
        height: 40
      })),
      edges: edges.map(([source, target], i) => ({
        source,
        target,
        kind: 'parameters',
        points: [
          [160 * i + 140, 30],
          [160 * i + 160, 30]
        ]
      }))
    }
  };
};

export const whole = (
  number: number,
  changes: {
    version?: Partial<ModelVersionSummary>;
    envelope?: Partial<Envelope>;
    lineage?: Lineage;
  } = {}
): ModelVersion => ({
  version: version(number, changes.version),
  envelope: envelope(changes.envelope),
  lineage: changes.lineage ?? lineage('model late/1')
});

export const comparison = (changes: Partial<ModelComparison> = {}): ModelComparison => ({
  versions: [version(1), version(2)],
  tables: [],
  code: [''],
  ...changes
});

/** A page of a list. */
export const paged = <T>(items: T[], total = items.length, limit = 50, offset = 0) => ({
  items,
  total,
  limit,
  offset
});
