import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, ApiError, Disconnected, refusal } from '../api';

function recorded(status: number, body: unknown): { api: Api; sent: [string, RequestInit][] } {
  const sent: [string, RequestInit][] = [];
  const api = new Api('http://host/user/ada/', async (url, init) => {
    sent.push([url, init]);
    return new Response(JSON.stringify(body), { status });
  });
  return { api, sent };
}

test('URLs keep the base, and encode what people name things', async () => {
  const { api, sent } = recorded(200, {});
  await api.task('r1', 'train[model=a/b]');
  await api.pipeline('my project/pipeline.yaml', 'down');
  await api.runs({ search: 'a&b', state: '', limit: 50, offset: 0 });
  assert.deepEqual(
    sent.map(([url]) => url),
    [
      'http://host/user/ada/mlops/api/runs/r1/tasks/train%5Bmodel%3Da%2Fb%5D',
      'http://host/user/ada/mlops/api/pipelines/my%20project/pipeline.yaml?direction=down',
      'http://host/user/ada/mlops/api/runs?search=a%26b&limit=50&offset=0'
    ]
  );
  assert.equal(api.viewUrl('r1', 'a b'), 'http://host/user/ada/mlops/view/r1/a%20b');
});

test('a run is started with arguments and options as JSON', async () => {
  const { api, sent } = recorded(201, { run_id: 'r2' });
  const run = await api.startRun('p/pipeline.yaml', { week: '21' }, { force: 'all' });
  assert.equal(run.run_id, 'r2');
  assert.equal(sent[0][1].method, 'POST');
  assert.deepEqual(JSON.parse(String(sent[0][1].body)), {
    path: 'p/pipeline.yaml',
    arguments: { week: '21' },
    options: { force: 'all' }
  });
});

test('what the server refuses arrives as it was said', async () => {
  const problems = [{ message: 'no int', parameter: 'week' }];
  const { api } = recorded(400, {
    code: 'invalid',
    message: 'week is no int',
    hint: 'write 20',
    problems
  });
  await assert.rejects(api.startRun('p', {}), (error: ApiError) => {
    assert.equal(error.status, 400);
    assert.equal(error.code, 'invalid');
    assert.equal(error.message, 'week is no int');
    assert.equal(error.hint, 'write 20');
    assert.equal(error.problems[0].parameter, 'week');
    return true;
  });
});

test('no answer, and a proxy that has none, are a lost connection', async () => {
  const api = new Api('http://host/', () => Promise.reject(new TypeError('fetch failed')));
  await assert.rejects(api.status(), Disconnected);
  assert.ok(refusal(502, '<html>Bad Gateway</html>') instanceof Disconnected);
});

test("another's page tells only its status", () => {
  const error = refusal(404, '<html>no</html>');
  assert.ok(error instanceof ApiError);
  assert.equal(error.message, 'the server answered 404');
  assert.equal((refusal(500, '{"reason": 1}') as ApiError).code, 'http');
});
