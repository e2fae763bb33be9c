import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { trans } from '../../__tests__/samples';
import type { Deployment } from '../../types';
import { Traffic } from '../deploymentTab';
import { DeploymentRow } from '../section';
import { byShare, latency, percent, request, served } from '../words';

const ONE: Deployment = {
  name: 'flights',
  target: 'local',
  model: 'late-flights',
  alias: 'champion',
  state: 'running',
  message: '',
  url: 'http://127.0.0.1:8080',
  revision: 3,
  traffic: { '3': 0.9, '4': 0.1 },
  shadow: {},
  image: '',
  reason: 'deploy',
  replicas: [2, 4],
  user_name: 'ada',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z'
};
const FORM = {
  model: 'late-flights',
  version: '4',
  name: '',
  target: 'local',
  least: '2',
  most: '4',
  canary: '100',
  follow: false,
  now: undefined as Deployment | undefined
};

describe('deployments', () => {
  it('says who answers, the largest share first', () => {
    assert.equal(served({ '3': 1 }), 'v3');
    assert.equal(served({ '4': 0.1, '3': 0.9 }), 'v3 90 % · v4 10 %');
    assert.deepEqual(byShare({ '3': 0.5, '4': 0.5 })[0], ['4', 0.5]);
    assert.equal(percent(0.004), '0.4 %');
    assert.equal(latency(0.00137), '1.4 ms');
    assert.equal(latency(undefined), '');
  });

  it('asks for all of the traffic, or for a part of it', () => {
    assert.deepEqual(request(FORM).asked, {
      model: 'models:/late-flights/4',
      target: 'local',
      replicas: [2, 4]
    });
    const part = request({ ...FORM, canary: '10', now: ONE, name: 'flights' });
    assert.deepEqual(part.asked.traffic, { '3': 0.9, '4': 0.1 });
    assert.equal(part.wrong, '');
  });

  it('sees what cannot be', () => {
    assert.match(request({ ...FORM, canary: '10' }).wrong, /another version/);
    assert.match(request({ ...FORM, canary: '10', version: 'champion', now: ONE }).wrong, /number/);
    assert.match(request({ ...FORM, canary: '0' }).wrong, /share/);
    assert.match(request({ ...FORM, least: '3', most: '2' }).wrong, /replicas/);
  });

  it('goes along with an alias only when that is wanted', () => {
    assert.equal(
      request({ ...FORM, version: 'champion', follow: true }).asked.follow_alias,
      'champion'
    );
    assert.equal(request({ ...FORM, version: 'champion' }).asked.follow_alias, undefined);
    assert.equal(request({ ...FORM, follow: true }).asked.follow_alias, undefined);
  });

  it('shows a row and a bar that can be read aloud', () => {
    const row = renderToStaticMarkup(
      <DeploymentRow deployment={ONE} now={0} trans={trans} onOpen={() => undefined} />
    );
    assert.match(row, /follows champion/);
    const bar = renderToStaticMarkup(<Traffic traffic={ONE.traffic} trans={trans} />);
    assert.match(bar, /aria-label="Traffic: v3 90 %, v4 10 %"/);
  });
});
