import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { trans } from '../../__tests__/samples';
import type { FeatureList, FeatureProfile, FeatureView } from '../../types';
import { Expectations, Rows } from '../featureTab';
import { ProfileCard } from '../profileCard';
import { FeatureLists, matching, viewsOf } from '../section';
import { age, driftLevel, freshness, moments, percent } from '../words';

const WEATHER: FeatureView = {
  name: 'weather',
  version: 'abc',
  kind: 'sql',
  entities: ['airport'],
  ttl_seconds: 21600,
  owner: 'ops',
  features: [
    { name: 'temp', dtype: 'float64' },
    { name: 'sky', dtype: 'string' }
  ],
  tags: { source: 'noaa' },
  description: '',
  watermark_at: '2026-01-01T00:00:00Z',
  freshness_seconds: 7200,
  rows: 10
};
const LIST: FeatureList = {
  entities: [],
  views: [WEATHER, { ...WEATHER, name: 'wind', freshness_seconds: null, features: [], tags: {} }],
  services: [
    {
      name: 'departure',
      version: '1',
      features: ['weather@abc:temp', 'weather@abc:sky', 'feel@1:feels'],
      owner: '',
      tags: {},
      description: ''
    }
  ]
};
const TEMP: FeatureProfile = {
  name: 'temp',
  dtype: 'float64',
  null_share: 0.034,
  distinct: null,
  mean: 48.2,
  stddev: 7,
  minimum: 20,
  maximum: 70,
  histogram: { edges: [20, 40, 50, 70], shares: [0.2, 0.5, 0.3] },
  top: []
};

describe('freshness', () => {
  it('is measured against the ttl', () => {
    assert.equal(freshness(WEATHER), 'fresh');
    assert.equal(freshness({ ...WEATHER, freshness_seconds: 30000 }), 'stale');
    assert.equal(freshness({ ...WEATHER, freshness_seconds: 30000, ttl_seconds: null }), 'fresh');
    assert.equal(freshness({ ...WEATHER, freshness_seconds: null }), 'none');
    assert.equal(freshness({ ...WEATHER, kind: 'on_demand' }), 'always');
    assert.equal(age(WEATHER, trans), '2 h old');
  });
});

describe('lists', () => {
  it('are searched by names, features, owners and tags', () => {
    const found = (search: string): string[] =>
      matching(LIST, search).views.map(({ name }) => name);
    assert.deepEqual(found(''), ['weather', 'wind']);
    assert.deepEqual(found('temp'), ['weather']);
    assert.deepEqual(found('OPS w'), ['weather', 'wind']);
    assert.deepEqual(found('noaa sky'), ['weather']);
    assert.deepEqual(viewsOf(LIST.services[0].features), ['weather', 'feel']);
  });

  it('show views and services, or say that there are none', () => {
    const html = renderToStaticMarkup(
      <FeatureLists list={LIST} search="" trans={trans} onOpen={() => undefined} />
    );
    assert.match(html, /weather.*2 h old.*temp, sky.*not materialized.*departure.*3 features/s);
    const none = renderToStaticMarkup(
      <FeatureLists list={LIST} search="zzz" trans={trans} onOpen={() => undefined} />
    );
    assert.match(none, /No such features/);
  });
});

describe('a profile', () => {
  it('draws a histogram, the one before, and drift', () => {
    const html = renderToStaticMarkup(
      <ProfileCard
        profile={TEMP}
        before={TEMP}
        drift={{ feature: 'temp', psi: 0.31, ks: 0.2, is_drifted: true }}
        trans={trans}
      />
    );
    assert.equal(html.match(/<rect/g)?.length, 3);
    assert.match(html, /jp-mod-drift-much.*▲ PSI 0.31/s);
    assert.match(html, /<path class="jp-mlops-Profile-before" d="M6 78L6/);
    assert.match(html, /null<\/dt><dd>3.4 %/);
  });

  it('lists texts', () => {
    const sky = {
      ...TEMP,
      name: 'sky',
      histogram: null,
      mean: null,
      stddev: null,
      minimum: null,
      maximum: null,
      top: [
        { value: 'clear', share: 0.5 },
        { value: '', share: 0.25 }
      ]
    };
    const html = renderToStaticMarkup(<ProfileCard profile={sky} before={sky} trans={trans} />);
    assert.match(html, /clear.*width:100%.*50 %.*\(empty\).*width:50%/s);
    assert.deepEqual(moments(sky), []);
  });

  it('counts in words', () => {
    assert.deepEqual([0, 0.0012, 0.034, 0.5].map(percent), ['0', '0.1 %', '3.4 %', '50 %']);
    assert.deepEqual(
      [
        driftLevel(0.05, false),
        driftLevel(0.15, false),
        driftLevel(0.5, true),
        driftLevel(null, false)
      ],
      ['none', 'some', 'much', 'none']
    );
  });
});

describe('a view', () => {
  it('says which expectations hold', () => {
    const base = { check: 'between', feature: 'temp', text: 'between 0 and 1', message: '' };
    const html = renderToStaticMarkup(
      <Expectations
        expectations={[
          { ...base, severity: 'error', is_met: true },
          { ...base, severity: 'error', is_met: false, message: '3 of 9 rows' },
          { ...base, severity: 'warning', is_met: false },
          { ...base, severity: 'error', is_met: null }
        ]}
        trans={trans}
      />
    );
    assert.deepEqual(html.match(/[✔✘▲–]/gu), ['✔', '✘', '▲', '–']);
    assert.match(html, /3 of 9 rows/);
  });

  it('shows rows, escaped', () => {
    const html = renderToStaticMarkup(
      <Rows
        preview={{
          columns: [
            { name: 'sky', dtype: 'string' },
            { name: 'at', dtype: 'timestamp' },
            { name: 'temp', dtype: 'float64' }
          ],
          rows: [
            ['<b>', '2026-01-01T10:00:00+00:00', 1.5],
            ['x', null, null]
          ],
          total: 2
        }}
        trans={trans}
      />
    );
    assert.match(html, /&lt;b&gt;.*2026-01-01 10:00:00<.*jp-mlops-number">1.5/s);
  });
});
