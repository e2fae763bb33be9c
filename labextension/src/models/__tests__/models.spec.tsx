import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { trans } from '../../__tests__/samples';
import type { ModelComparison, ModelDetail, ModelSummary, ModelVersionSummary } from '../../types';
import { CompareView } from '../compareView';
import { MetricChart } from '../metricChart';
import { ModelRow } from '../section';
import { Versions } from '../versionsTable';

const nothing = (): void => undefined;

function version(number: number, auc: number | null, aliases: string[] = []): ModelVersionSummary {
  return {
    name: 'late',
    version: number,
    estimator: 'sklearn.linear_model.LogisticRegression',
    format: 'skops',
    metrics: auc === null ? {} : { auc },
    tags: {},
    description: '',
    aliases,
    run_id: null,
    task: null,
    user_name: 'ada',
    created_at: '2026-01-01T00:00:00Z',
    size_bytes: 10,
    check: 'quick',
    origin: ''
  };
}

const SUMMARY: ModelSummary = {
  name: 'late',
  description: 'Late & <lost>',
  tags: {},
  last_version: 3,
  version_count: 3,
  aliases: { a: 1, b: 2, c: 3, d: 3 },
  metrics: { auc: 0.78034, log_loss: 0.5 },
  estimator: 'x.Y',
  user_name: 'ada',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z'
};
const MODEL: ModelDetail = {
  ...SUMMARY,
  versions: [version(3, 0.8, ['champion']), version(2, null), version(1, 0.7)],
  alias_list: [
    {
      name: 'late',
      alias: 'champion',
      version: 3,
      is_protected: true,
      user_name: 'ada',
      updated_at: '2026-01-01T00:00:00Z'
    }
  ],
  alias_history: [],
  metric_names: ['auc'],
  limit: 50,
  offset: 0
};

describe('a model', () => {
  it('stands in the list with its metric and aliases, escaped', () => {
    const html = renderToStaticMarkup(
      <ModelRow model={SUMMARY} now={0} trans={trans} onOpen={nothing} />
    );
    assert.match(html, /Late &amp; &lt;lost&gt;.*v3.*auc.*0.7803/s);
    assert.equal(html.match(/jp-mlops-Alias"/g)?.length, 3);
    assert.match(html, /\+1/);
    const bare = renderToStaticMarkup(
      <ModelRow
        model={{ ...SUMMARY, metrics: {}, estimator: '', last_version: null, aliases: {} }}
        now={0}
        trans={trans}
        onOpen={nothing}
      />
    );
    assert.match(bare, /no versions/);
  });

  it('lists its versions', () => {
    const html = renderToStaticMarkup(
      <Versions
        model={MODEL}
        picked={3}
        compared={[]}
        trans={trans}
        onPick={nothing}
        onCompare={nothing}
      />
    );
    assert.equal(html.match(/<tr/g)?.length, 4);
    assert.match(
      html,
      /data-version="3".*aria-label="protected".*champion.*0.8.*LogisticRegression/s
    );
    assert.match(html, /<tr class="jp-mod-selected" aria-selected="true" data-version="3"/);
    assert.match(html, /data-version="2".*–/s);
  });

  it('is drawn across its versions, with gaps', () => {
    const points = [1, 2, 3].map(number => ({
      version: number,
      value: number === 2 ? null : number / 4,
      aliases: number === 3 ? ['champion', 'x'] : []
    }));
    const html = renderToStaticMarkup(
      <MetricChart name="auc" points={points} selected={[3]} trans={trans} onSelect={nothing} />
    );
    assert.match(html, /aria-label="auc: version 1: 0.25, version 3: 0.75"/);
    assert.equal(html.match(/M\d/g)?.length, 2);
    assert.match(html, /champion \+1/);
    const one = renderToStaticMarkup(
      <MetricChart
        name="auc"
        points={points.slice(1, 2)}
        selected={[]}
        trans={trans}
        onSelect={nothing}
      />
    );
    assert.ok(!one.includes('NaN'));
  });

  it('shows what differs between versions', () => {
    const comparison: ModelComparison = {
      versions: [version(1, 0.7), version(2, 0.8)],
      tables: [
        { title: 'metrics', rows: [{ name: 'auc', values: [0.7, 0.8], is_same: false }] },
        {
          title: 'parameters',
          rows: [
            { name: 'week', values: [3, 3], is_same: true },
            { name: 'C', values: [null, 'x'], is_same: false }
          ]
        },
        { title: 'data', rows: [{ name: 'rows', values: [9, 9], is_same: true }] }
      ],
      code: ['--- a\n+++ b\n-old\n+new <x>\n']
    };
    const html = renderToStaticMarkup(<CompareView comparison={comparison} trans={trans} />);
    assert.match(html, /auc.*0.7.*0.8.*\+0.1/s);
    assert.ok(!html.includes('week') && !html.includes('rows<'));
    assert.match(html, /–.*x.*jp-mod-del">-old.*jp-mod-add">\+new &lt;x&gt;/s);
    const same = renderToStaticMarkup(
      <CompareView comparison={{ ...comparison, code: [''] }} trans={trans} />
    );
    assert.match(same, /The code is the same/);
  });
});
