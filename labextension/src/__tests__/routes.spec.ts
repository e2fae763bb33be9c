/** What the client asks, and whether the server's document knows of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { Api, ApiError, Disconnected, refusal } from '../api';

interface IParameter {
  $ref?: string;
  name: string;
  in: string;
}
type Operation = { parameters?: IParameter[]; requestBody?: unknown };

const DOCUMENT = parse(
  readFileSync(resolve(__dirname, '../../../jupyter_mlops/server/openapi.yaml'), 'utf8')
) as {
  paths: Record<string, Record<string, Operation> & { parameters?: IParameter[] }>;
  components: { parameters: Record<string, IParameter> };
};

interface IAsked {
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  headers: unknown;
}

/** What one call asks for. */
async function asked(call: (api: Api) => Promise<unknown>, base = 'http://host/'): Promise<IAsked> {
  let url = '';
  let init: RequestInit = {};
  const api = new Api(base, async (...all) => {
    [url, init] = all;
    return new Response('{}');
  });
  await call(api);
  const { pathname, searchParams } = new URL(url);
  return {
    method: init.method!,
    path: pathname,
    query: Object.fromEntries(searchParams),
    body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
    headers: init.headers
  };
}

type Row = [(api: Api) => Promise<unknown>, string, Record<string, string>?, unknown?];

/** Call; what is asked, below `/mlops/api`; with which query; with which body. */
const ROWS: Row[] = [
  [api => api.status(), 'GET /status'],
  [api => api.pipelines(), 'GET /pipelines'],
  [
    api => api.pipelines({ search: 'flüge', limit: 50, offset: 100 }),
    'GET /pipelines',
    { search: 'flüge', limit: '50', offset: '100' }
  ],
  [api => api.pipeline('a/b c.yaml'), 'GET /pipelines/a/b%20c.yaml', { direction: 'right' }],
  [
    api => api.savePipeline('p.yaml', 'tasks: {}', null),
    'PUT /pipelines/p.yaml',
    {},
    { text: 'tasks: {}', digest: null }
  ],
  [
    api => api.check('p.yaml', 'x', 'down'),
    'POST /check',
    { direction: 'down' },
    { path: 'p.yaml', text: 'x' }
  ],
  [api => api.runs(), 'GET /runs'],
  [
    api => api.runs({ pipeline: 'p', state: 'failed', limit: 1, offset: 0 }),
    'GET /runs',
    { pipeline: 'p', state: 'failed', limit: '1', offset: '0' }
  ],
  [api => api.run('r1', 'down'), 'GET /runs/r1', { direction: 'down' }],
  [
    api => api.startRun('p.yaml', {}),
    'POST /runs',
    {},
    { path: 'p.yaml', arguments: {}, options: {} }
  ],
  [api => api.cancel('r1'), 'POST /runs/r1/cancel', {}, {}],
  [api => api.resume('r1'), 'POST /runs/r1/resume', {}, {}],
  [api => api.rerun('r1', true), 'POST /runs/r1/rerun', {}, { from_failed: true }],
  [api => api.task('r1', 'fit[a]'), 'GET /runs/r1/tasks/fit%5Ba%5D'],
  [api => api.log('r1', 'fit', 0), 'GET /runs/r1/tasks/fit/log', { offset: '0' }],
  [api => api.compareRuns('r1', 'r2'), 'GET /compare', { left: 'r1', right: 'r2' }],
  [
    api => api.compareRuns('r1', 'r2', 'fit'),
    'GET /compare',
    { left: 'r1', right: 'r2', task: 'fit' }
  ],
  [api => api.notebookParameters('a/b.ipynb'), 'GET /notebooks/a/b.ipynb/parameters'],
  [
    api => api.runNotebook('a/b.ipynb', { week: '3' }, { force: 'all' }),
    'POST /notebooks/a/b.ipynb/run',
    {},
    { arguments: { week: '3' }, options: { force: 'all' } }
  ],
  [api => api.schedules(), 'GET /schedules'],
  [api => api.schedule('every night'), 'GET /schedules/every%20night'],
  [api => api.addSchedule({ path: 'p.yaml' }), 'POST /schedules', {}, { path: 'p.yaml' }],
  [api => api.pauseSchedule('n'), 'POST /schedules/n/pause', {}, {}],
  [api => api.resumeSchedule('n'), 'POST /schedules/n/resume', {}, {}],
  [api => api.removeSchedule('n'), 'DELETE /schedules/n'],
  [
    api => api.previewCron('0 6 * * *', 'Europe/Berlin', 5),
    'GET /cron',
    { expression: '0 6 * * *', timezone: 'Europe/Berlin', count: '5' }
  ],
  [api => api.models({ search: 'late' }), 'GET /models', { search: 'late' }],
  [api => api.modelDetail('m', { limit: 20 }), 'GET /models/m', { limit: '20' }],
  [api => api.modelVersion('m', 3), 'GET /models/m/versions/3'],
  [api => api.compareModels('m', [1, 3]), 'GET /models/m/compare', { versions: '1,3' }],
  [
    api => api.setAlias('m', 'champion', 3, false),
    'PUT /models/m/aliases/champion',
    {},
    { version: 3, force: false }
  ],
  [
    api => api.deleteAlias('m', 'champion', false),
    'DELETE /models/m/aliases/champion',
    { force: 'false' }
  ],
  [api => api.features(), 'GET /features'],
  [api => api.featureView('weather'), 'GET /features/weather'],
  [api => api.previewFeatures('weather', 10), 'GET /features/weather/preview', { limit: '10' }],
  [api => api.deployments(), 'GET /deployments'],
  [api => api.deployment('d'), 'GET /deployments/d'],
  [api => api.deploy({ model: 'm' }), 'POST /deployments', {}, { model: 'm' }],
  [api => api.planDeployment({ model: 'm' }), 'POST /deployment-plan', {}, { model: 'm' }],
  [api => api.rollback('d', null), 'POST /deployments/d/rollback', {}, { to: null }],
  [api => api.rollback('d', 2), 'POST /deployments/d/rollback', {}, { to: 2 }],
  [api => api.stopDeployment('d'), 'POST /deployments/d/stop', {}, {}],
  [api => api.startDeployment('d'), 'POST /deployments/d/start', {}, {}],
  [api => api.removeDeployment('d'), 'DELETE /deployments/d'],
  [api => api.images({ limit: 5 }), 'GET /images', { limit: '5' }],
  [api => api.compute(), 'GET /compute'],
  [api => api.units(), 'GET /units'],
  [api => api.runCost('r1'), 'GET /runs/r1/cost'],
  [api => api.modelCost('m', 2), 'GET /models/m/versions/2/cost'],
  [api => api.pipelineCost('a/p.yaml'), 'GET /pipelines/a/p.yaml/cost'],
  [api => api.pipelineCost('p.yaml', 30), 'GET /pipelines/p.yaml/cost', { runs_a_month: '30' }],
  [api => api.queue(), 'GET /queue'],
  [
    api => api.changeQueueEntry('r1', { is_held: true } as never),
    'POST /queue/r1',
    {},
    { is_held: true }
  ],
  [api => api.quotas(), 'GET /quotas'],
  [api => api.environments('a/b c.yaml'), 'GET /pipelines/a/b%20c.yaml/environments'],
  [api => api.dockerize({ target: 'p.yaml' }), 'POST /dockerize', {}, { target: 'p.yaml' }],
  [
    api => api.exportPipeline({ path: 'p.yaml', target: 'argo' }),
    'POST /export',
    {},
    { path: 'p.yaml', target: 'argo' }
  ]
];

/** The operation of the document that answers; `{path}` alone may hold slashes. */
function operation(method: string, path: string): [Operation, readonly IParameter[]] | null {
  const found = Object.entries(DOCUMENT.paths)
    .filter(([template]) => {
      const pattern = template.replace(/\{(\w+)\}/g, (_, name) =>
        name === 'path' ? '.+' : '[^/]+'
      );
      return new RegExp(`^/mlops${pattern}$`).test(path);
    })
    .sort(([a], [b]) => b.length - a.length) // `/pipelines/{path}/cost` before `/pipelines/{path}`
    .map(([, item]) => [item[method.toLowerCase()], item.parameters ?? []] as const)
    .find(([one]) => one);
  if (!found) {
    return null;
  }
  const [one, shared] = found;
  const parameters = [...shared, ...(one.parameters ?? [])].map(parameter =>
    parameter.$ref ? DOCUMENT.components.parameters[parameter.$ref.split('/').at(-1)!] : parameter
  );
  return [one, parameters];
}

describe('each call', () => {
  for (const [call, expected, query = {}, body] of ROWS) {
    test(`asks ${expected} ${new URLSearchParams(query)}`, async () => {
      const said = await asked(call);
      const [method, path] = expected.split(' ');
      assert.deepEqual([said.method, said.path], [method, `/mlops/api${path}`]);
      assert.deepEqual(said.query, query);
      assert.deepEqual(said.body, body);
      const json = { 'Content-Type': 'application/json' };
      assert.deepEqual(said.headers, body === undefined ? undefined : json);
    });

    test(`${expected} ${new URLSearchParams(query)} is in the server’s document`, async () => {
      const said = await asked(call);
      const found = operation(said.method, decodeURI(said.path));
      assert.ok(found, 'no such operation');
      const known = found[1].filter(one => one.in === 'query').map(one => one.name);
      for (const name of Object.keys(said.query)) {
        assert.ok(known.includes(name), `${name} is none of ${known}`);
      }
      if (said.body !== undefined && Object.keys(said.body as object).length) {
        assert.ok(found[0].requestBody, 'it takes no body');
      }
    });
  }

  test('is tried here: none is left out', () => {
    const api = new Api('http://host/', () => Promise.reject(new Error()));
    const calls = Object.keys(api).filter(name => !name.startsWith('_'));
    const tried = ROWS.map(([call]) => /api\.(\w+)\(/.exec(String(call))![1]);
    assert.deepEqual(
      calls.filter(name => !tried.includes(name)),
      []
    );
  });
});

describe('places', () => {
  const names = ['a b', 'ä', 'a/b', 'a?b', 'a#b', 'a%b', '../../etc', '日本', '<b>'];
  for (const name of names) {
    test(`a model named ${name} stays one part of the path`, async () => {
      const { path } = await asked(api => api.modelDetail(name), 'http://host/user/ada/');
      const parts = path.split('/');
      assert.deepEqual(parts.slice(0, -1), ['', 'user', 'ada', 'mlops', 'api', 'models']);
      assert.equal(decodeURIComponent(parts.at(-1)!), name);
    });
  }

  test('an executed notebook has a page below the base, with its names encoded', () => {
    const api = new Api('http://host/user/ada/', () => Promise.reject(new Error()));
    assert.equal(
      api.viewUrl('r 1', 'fit[model=a/b]'),
      'http://host/user/ada/mlops/view/r%201/fit%5Bmodel%3Da%2Fb%5D'
    );
  });
});

describe('answers', () => {
  const answering = (status: number, text: string | null): Api =>
    new Api('http://host/', async () => new Response(text, { status }));

  test('nothing is an answer, too', async () => {
    assert.equal(await answering(204, null).removeSchedule('n'), undefined);
    assert.equal(await answering(200, '').removeDeployment('d'), undefined);
  });

  const refused: [string, number, string, string, string][] = [
    ['ours', 404, '{"code": "missing", "message": "no run r1"}', 'missing', 'no run r1'],
    ['without a message', 400, '{"code": "x"}', 'http', 'the server answered 400'],
    [
      'with a message that is none',
      400,
      '{"code": "x", "message": 3}',
      'http',
      'the server answered 400'
    ],
    ['null', 500, 'null', 'http', 'the server answered 500'],
    ['a list', 500, '[]', 'http', 'the server answered 500'],
    ['nothing', 403, '', 'http', 'the server answered 403'],
    ['a page for the login', 401, '<html>', 'http', 'the server answered 401']
  ];
  for (const [what, status, text, code, message] of refused) {
    test(`a refusal: ${what}`, async () => {
      await assert.rejects(answering(status, text).status(), (error: ApiError) => {
        assert.deepEqual([error.status, error.code, error.message], [status, code, message]);
        assert.deepEqual([error.hint, error.problems], ['', []]);
        return error instanceof ApiError;
      });
    });
  }

  for (const status of [502, 503, 504]) {
    test(`${status} is a proxy that reaches nobody, whatever it says`, () =>
      assert.ok(refusal(status, '{"code": "x", "message": "y"}') instanceof Disconnected));
  }
  for (const status of [500, 501, 505]) {
    test(`${status} is an answer`, () => assert.ok(refusal(status, '') instanceof ApiError));
  }
});
