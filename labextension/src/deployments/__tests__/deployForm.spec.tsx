import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { paged, summary } from '../../models/__tests__/builders';
import { type Answers, Held, Page, refuse } from '../../models/__tests__/page';
import { DeployForm } from '../deployForm';
import { deployment } from './builders';

const POST = 'POST deployments';
const PLAN = 'POST deployment-plan';
const done: string[] = [];

const show = (
  models: unknown = paged([summary({ aliases: { champion: 2 } }), summary({ name: 'wind' })]),
  more: Answers = {},
  props: Partial<Parameters<typeof DeployForm>[0]> = {}
): Promise<Page> => {
  done.length = 0;
  return Page.of({ 'GET models': models, [POST]: deployment(), ...more }, context => (
    <DeployForm
      context={context}
      targets={['kserve', 'local']}
      deployments={[]}
      onClose={() => done.push('closed')}
      onDeployed={name => done.push(name)}
      {...props}
    />
  ));
};
const bodyOf = (deed: string): Record<string, unknown> => JSON.parse(deed.slice(deed.indexOf('{')));
const choices = (page: Page, label: string): string[] =>
  page.field(label).options.map(one => one.textContent);

describe('the form that deploys', () => {
  test('waits for the models', async () => {
    const held = new Held(paged([summary()]));
    const page = await show(held);
    assert.equal(page.text, 'Loading models');
    held.release();
    await page.settle();
    assert.equal(page.field('Model').value, 'late');
  });

  test('says how a model comes to be where there is none, or what is wrong', async () => {
    assert.match((await show(paged([]))).text, /No model is registered yet.*register_model/);
    assert.match((await show(refuse('locked', 'wait'))).text, /locked wait/);
  });

  test('offers aliases first, then versions from the newest', async () => {
    const page = await show();
    assert.deepEqual(choices(page, 'Version'), ['champion (v2)', 'v3', 'v2', 'v1']);
    assert.equal(page.field('Version').value, 'champion');
  });

  const counts: [number | null, number][] = [
    [null, 0],
    [1, 1],
    [20, 20],
    [5000, 20]
  ];
  for (const [last, count] of counts) {
    test(`offers ${count} of ${last} versions`, async () => {
      const page = await show(paged([summary({ last_version: last })]));
      assert.equal(choices(page, 'Version').length, count);
    });
  }

  const targets: [string[], string][] = [
    [['kserve', 'local'], 'local'],
    [['kserve', 'sagemaker'], 'kserve']
  ];
  for (const [all, first] of targets) {
    test(`goes to ${first} of ${all}`, async () =>
      assert.equal((await show(undefined, {}, { targets: all })).field('Target').value, first));
  }

  test('sends what was chosen, says so and is done', async () => {
    const page = await show();
    await page.fill('Model', 'wind');
    await page.fill('Version', '2');
    await page.fill('Name', 'sturm');
    await page.fill('Target', 'kserve');
    await page.fill('Replicas from', '1');
    await page.fill('up to', '8');
    await page.click('Deploy');
    const [deed] = page.deeds();
    assert.deepEqual(bodyOf(deed), {
      model: 'models:/wind/2',
      target: 'kserve',
      name: 'sturm',
      replicas: [1, 8]
    });
    assert.deepEqual(page.said, ['flights answers']);
    assert.deepEqual(done, ['flights']);
  });

  test('of another model begins with a version that this one has', async () => {
    const page = await show();
    await page.fill('Model', 'wind');
    assert.equal(page.field('Version').value, '3');
    assert.ok(!page.has('Go along when champion moves', 'input'));
  });

  test('says that it goes on where it does', async () => {
    const page = await show(undefined, { [POST]: deployment({ state: 'deploying' }) });
    await page.click('Deploy');
    assert.deepEqual(page.said, ['flights is being deployed']);
  });

  test('goes along with an alias when that is wanted', async () => {
    const page = await show();
    await page.click(page.field('Go along when champion moves'));
    await page.click('Deploy');
    assert.equal(bodyOf(page.deeds()[0]).follow_alias, 'champion');
  });

  test('gives a part of the requests beside the version that serves now', async () => {
    const now = deployment({ name: 'late', traffic: { '3': 1 } });
    const page = await show(undefined, {}, { deployments: [now] });
    await page.fill('Version', '2');
    await page.fill('Share of the requests, %', '25');
    await page.click('Deploy');
    assert.deepEqual(bodyOf(page.deeds()[0]).traffic, { '3': 0.75, '2': 0.25 });
  });

  const wrongs: [string, string, RegExp][] = [
    ['Replicas from', '0', /at least 1/],
    ['up to', '1', /no fewer/],
    ['Share of the requests, %', '0', /above 0/],
    ['Share of the requests, %', '10', /needs another version/]
  ];
  for (const [label, text, message] of wrongs) {
    test(`${label} ${text} is told, and nothing is sent`, async () => {
      const page = await show();
      await page.fill(label, text);
      for (const button of ['Deploy', 'Preview']) {
        await page.click(button);
        assert.match(page.one('[role=alert]').textContent, message);
      }
      assert.deepEqual(page.deeds(), []);
      assert.deepEqual(done, []);
    });
  }

  test('tells what the server says against it, and can be tried again', async () => {
    const page = await show(undefined, {
      [POST]: refuse('port 8080 is taken', 'stop what has it')
    });
    await page.click('Deploy');
    assert.match(page.one('[role=alert]').textContent, /port 8080 is taken.*stop what has it/);
    page.answers[POST] = deployment();
    await page.click('Deploy');
    assert.deepEqual(done, ['flights']);
    assert.equal(page.all('[role=alert]').length, 0);
  });

  test('cannot be sent twice', async () => {
    const held = new Held(deployment());
    const page = await show(undefined, { [POST]: held });
    await page.click('Deploy');
    assert.ok(page.button('Working…').disabled && page.button('Preview').disabled);
    held.release();
    await page.settle();
    assert.equal(page.deeds().length, 1);
  });

  test('Cancel sends nothing', async () => {
    const page = await show();
    await page.click('Cancel');
    assert.deepEqual([done, page.deeds()], [['closed'], []]);
  });
});

describe('a preview', () => {
  const requests = [
    { call: 'PUT /apis/serving', body: { name: '<late>', replicas: [2, 4] } },
    { call: 'GET /status', body: {} }
  ];

  test('shows what would be sent, and deploys nothing', async () => {
    const page = await show(undefined, { [PLAN]: { requests } });
    await page.click('Preview');
    assert.match(page.text, /What would be sent 2 PUT \/apis\/serving { "name": "<late>"/);
    assert.ok(page.deeds().every(deed => deed.startsWith(PLAN)));
    assert.deepEqual(done, []);
  });

  test('is of what the form says now: it goes when that changes, and is back with it', async () => {
    const page = await show(undefined, { [PLAN]: { requests } });
    await page.click('Preview');
    await page.fill('Name', 'other');
    assert.doesNotMatch(page.text, /What would be sent/);
    await page.fill('Name', '');
    assert.match(page.text, /What would be sent/);
  });

  test('that cannot be made says why', async () => {
    const page = await show(undefined, { [PLAN]: refuse('kserve is not there', 'install it') });
    await page.click('Preview');
    assert.match(page.one('[role=alert]').textContent, /kserve is not there.*install it/);
  });
});
