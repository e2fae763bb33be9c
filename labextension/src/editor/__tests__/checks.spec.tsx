import { follow, settle } from './page';

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { useCheck, useNotebook } from '../checks';
import { answer, parameter, picture, problem, Server } from './builders';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

const pass = (milliseconds: number): Promise<void> => settle(() => mock.timers.tick(milliseconds));

describe('the check of a text', () => {
  const PATH = 'flights/pipeline.yaml';

  function checking(first: string | null = 'one') {
    const server = new Server();
    const hook = follow((text: string | null) => useCheck(server.api, PATH, text), first);
    return { server, ...hook, texts: () => server.asked.map(({ text }) => text) };
  }

  it('asks at once for the first text', async () => {
    const { server, now, close } = checking();
    await pass(0);
    assert.deepEqual([server.last.path, server.last.text], [PATH, 'one']);
    assert.deepEqual(now(), { pipeline: null, graph: null, error: null, isFresh: false });
    const made = answer(picture(['pull']));
    await settle(() => server.last.say(made));
    assert.deepEqual(now(), { pipeline: made, graph: made.graph, error: null, isFresh: true });
    close();
  });

  it('asks nothing without a text', async () => {
    const { texts, close } = checking(null);
    await pass(10_000);
    assert.deepEqual(texts(), []);
    close();
  });

  it('waits until somebody stops typing', async () => {
    const { texts, again, close } = checking();
    await pass(0);
    for (const text of ['t', 'tw', 'two']) {
      again(text);
      await pass(100);
    }
    assert.deepEqual(texts(), ['one']);
    await pass(20);
    assert.deepEqual(texts(), ['one', 'two']);
    close();
  });

  it('keeps what it knows, as that of an older text, until the newer one is checked', async () => {
    const { server, now, again, close } = checking();
    await pass(0);
    const [first, second] = [answer(picture(['pull'])), answer(picture(['pull', 'fit']))];
    await settle(() => server.last.say(first));
    again('two');
    assert.deepEqual([now().pipeline, now().isFresh], [first, false]);
    await pass(120);
    await settle(() => server.last.say(second));
    assert.deepEqual([now().graph, now().isFresh], [second.graph, true]);
    close();
  });

  it('drops an answer that comes after a newer question', async () => {
    const { server, now, again, close } = checking();
    await pass(0);
    again('two');
    await pass(120);
    const [old, young] = server.asked;
    const made = answer(picture(['two']));
    await settle(() => young.say(made));
    await settle(() => old.say(answer(picture(['one']))));
    assert.equal(now().pipeline, made);
    close();
  });

  it('drops a failure that comes after a newer question', async () => {
    const { server, now, again, close } = checking();
    await pass(0);
    again('two');
    await settle(() => server.asked[0].fail(new Error('late')));
    assert.equal(now().error, null);
    close();
  });

  it('leaves the last picture where a text has none for its faults', async () => {
    const { server, now, again, close } = checking();
    await pass(0);
    const first = answer(picture(['pull']));
    await settle(() => server.last.say(first));
    again('broken');
    await pass(120);
    const broken = answer(picture([]), [problem('a circle')]);
    await settle(() => server.last.say(broken));
    assert.equal(now().graph, first.graph);
    assert.equal(now().pipeline, broken);
    again('empty');
    await pass(120);
    const empty = answer(picture([]));
    await settle(() => server.last.say(empty));
    assert.equal(now().graph, empty.graph); // nothing is wrong: there are no tasks
    close();
  });

  it('tells a failure, and tries again by itself', async () => {
    const { server, now, texts, close } = checking();
    await pass(0);
    await settle(() => server.last.fail(new Error('the server does not answer')));
    assert.equal(now().error?.message, 'the server does not answer');
    assert.equal(now().isFresh, false);
    await pass(2999);
    assert.equal(texts().length, 1);
    await pass(1);
    await pass(120);
    assert.deepEqual(texts(), ['one', 'one']);
    await settle(() => server.last.say(answer(picture(['pull']))));
    assert.deepEqual([now().error, now().isFresh], [null, true]);
    close();
  });

  it('asks no more once it is closed', async () => {
    const { server, texts, close } = checking();
    await pass(0);
    await settle(() => server.last.fail(new Error('gone')));
    close();
    await pass(10_000);
    assert.equal(texts().length, 1);
  });
});

describe('what a notebook takes', () => {
  const WEEK = parameter('week');
  const asking = (server: Server) =>
    follow(
      ({ path, version }: { path: string | null; version: number }) =>
        useNotebook(server.api, path, version).map(({ name }) => name),
      { path: 'a.ipynb' as string | null, version: 1 }
    );

  it('is asked once for each path and version', async () => {
    const server = new Server();
    server.takes = { 'a.ipynb': [WEEK], 'b.ipynb': [parameter('rows')] };
    const hook = asking(server);
    assert.deepEqual(hook.now(), []);
    await settle();
    assert.deepEqual(hook.now(), ['week']);
    hook.again({ path: 'a.ipynb', version: 1 });
    assert.deepEqual(server.notebooks, ['a.ipynb']);
    hook.again({ path: 'b.ipynb', version: 1 });
    assert.deepEqual(hook.now(), []); // not those of another notebook
    await settle();
    assert.deepEqual(hook.now(), ['rows']);
    hook.again({ path: 'b.ipynb', version: 2 });
    await settle();
    assert.deepEqual(server.notebooks, ['a.ipynb', 'b.ipynb', 'b.ipynb']);
    hook.close();
  });

  it('is nothing where it is unknown, missing or cannot be read', async () => {
    const server = new Server();
    const hook = asking(server);
    await settle();
    assert.deepEqual(hook.now(), []);
    hook.again({ path: null, version: 1 });
    await settle();
    assert.deepEqual([hook.now(), server.notebooks], [[], ['a.ipynb']]);
    hook.close();
  });
});
