import { Signal } from '@lumino/signaling';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ApiError, Disconnected } from '../api';
import { CHANGE_SCHEMA, type IEvent, Model, type Ring } from '../model';
import { Query } from '../query';
import type { Status } from '../types';
import { status } from './samples';

const settle = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));

let answer: () => Promise<Status>;
let events: Signal<unknown, IEvent>;
let model: Model;
let rings: Ring[];

beforeEach(async () => {
  answer = async () => status();
  events = new Signal<unknown, IEvent>({});
  model = new Model(() => answer(), events, 'never');
  rings = [];
  model.rang.connect((_, ring) => rings.push(ring));
  await settle();
  rings.length = 0;
});

afterEach(() => model.dispose());

const ring = (seq: number, changes: Partial<IEvent> = {}): void =>
  events.emit({
    schema_id: CHANGE_SCHEMA,
    server_id: 'a',
    seq,
    kinds: ['run'],
    run_ids: ['r1'],
    ...changes
  });

describe('the doorbell', () => {
  test('the next number tells what changed', () => {
    assert.equal(model.connection, 'ready');
    ring(6);
    assert.deepEqual(rings, [{ kinds: ['run'], runIds: ['r1'] }]);
  });

  test('a gap means that anything may have changed', () => {
    ring(8);
    assert.deepEqual(rings, [null]);
    ring(9);
    assert.equal(rings.length, 2);
    assert.notEqual(rings[1], null);
  });

  test('what was heard before, and what is not ours, is nothing new', () => {
    ring(5);
    ring(6, { schema_id: 'https://events.jupyter.org/jupyter_server/kernel_actions/v1' });
    assert.deepEqual(rings, []);
  });

  test('another server: everything is fetched again, and counting begins anew', async () => {
    answer = async () => status({ server_id: 'b', seq: 1 });
    ring(2, { server_id: 'b' });
    await settle();
    assert.deepEqual(rings, [null]);
    ring(2, { server_id: 'b' });
    assert.equal(rings.length, 2);
  });

  test('a bell that stayed quiet is found out by looking', async () => {
    answer = async () => status({ seq: 9 });
    await model.refresh();
    assert.deepEqual(rings, [null]);
  });

  test('looking without news rings nothing', async () => {
    await model.refresh();
    assert.deepEqual(rings, []);
  });
});

describe('the connection', () => {
  test('a server without our extension', async () => {
    answer = () => Promise.reject(new ApiError(404, 'http', 'the server answered 404'));
    await model.refresh();
    assert.equal(model.connection, 'missing');
    answer = async () => status();
    await model.refresh(); // somebody looks again
    assert.equal(model.connection, 'ready');
    assert.deepEqual(rings, [null]);
  });

  test('is lost, and found again by itself', async () => {
    const states: string[] = [];
    model.stateChanged.connect(() => states.push(model.connection));
    answer = () => Promise.reject(new Disconnected());
    model.failed(new Disconnected());
    await settle();
    assert.equal(model.connection, 'lost');
    answer = async () => status();
    await model.refresh();
    assert.deepEqual(states, ['lost', 'ready']);
    assert.deepEqual(rings, [null]); // whatever was missed meanwhile
  });

  test('a request that was refused says nothing about the connection', () => {
    model.failed(new ApiError(400, 'invalid', 'no'));
    assert.equal(model.connection, 'ready');
  });
});

describe('a query', () => {
  test('fetches at once, and again when it is concerned', async () => {
    let count = 0;
    const query = new Query(
      model,
      async () => (count += 1),
      change => change !== null && change.runIds.includes('r1')
    );
    await settle();
    assert.equal(query.value, 1);
    ring(6);
    await settle();
    assert.equal(query.value, 2);
    ring(7, { run_ids: ['r2'] });
    await settle();
    assert.equal(query.value, 2);
    query.dispose();
    ring(8);
    await settle();
    assert.equal(count, 2);
  });

  test('many rings during one request make one more request', async () => {
    let count = 0;
    const release: (() => void)[] = [];
    const query = new Query(model, () => {
      count += 1;
      return new Promise<number>(resolve => release.push(() => resolve(count)));
    });
    [6, 7, 8, 9].forEach(seq => ring(seq));
    assert.equal(count, 1);
    release.shift()!();
    await settle();
    assert.equal(count, 2);
    release.shift()!();
    await settle();
    assert.equal(count, 2);
    assert.equal(query.value, 2);
    query.dispose();
  });

  test('keeps the last answer when the next cannot be had, and says so', async () => {
    let isUp = true;
    const query = new Query(model, async () => {
      if (!isUp) {
        throw new Disconnected();
      }
      return 'here';
    });
    await settle();
    isUp = false;
    answer = () => Promise.reject(new Disconnected());
    await query.refresh();
    assert.equal(query.value, 'here');
    assert.ok(query.error instanceof Disconnected);
    assert.equal(model.connection, 'lost');
    isUp = true;
    answer = async () => status();
    await model.refresh(); // back: it fetches by itself
    await settle();
    assert.equal(query.error, null);
    query.dispose();
  });
});
