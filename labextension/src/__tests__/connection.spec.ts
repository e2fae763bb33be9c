import { Signal } from '@lumino/signaling';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { ApiError, Disconnected } from '../api';
import { CHANGE_SCHEMA, type IEvent, Model, type Ring } from '../model';
import { Navigation } from '../navigation';
import { Preferences } from '../preferences';
import { Query } from '../query';
import type { Status } from '../types';
import { status } from './samples';

/** Let what was asked be answered; time stands still meanwhile. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
};

let answer: () => Promise<Status>;
let looks: number;
let events: Signal<unknown, IEvent>;
let model: Model;
let rings: Ring[];

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  looks = 0;
  answer = async () => status();
  events = new Signal<unknown, IEvent>({});
  model = new Model(() => ((looks += 1), answer()), events, 'never');
  rings = [];
  model.rang.connect((_, ring) => rings.push(ring));
  await pass(1);
  rings.length = 0;
  looks = 0;
});
afterEach(() => {
  model.dispose();
  mock.timers.reset();
});

/** So many seconds, one after the other. */
async function pass(seconds: number): Promise<void> {
  await settle();
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1000);
    await settle();
  }
}

const ring = (seq: unknown, changes: Record<string, unknown> = {}): void =>
  events.emit({
    schema_id: CHANGE_SCHEMA,
    server_id: 'a',
    seq,
    kinds: ['run'],
    run_ids: [],
    ...changes
  });

describe('how often it looks', () => {
  test('seldom while all is well', async () => {
    await pass(28);
    assert.equal(looks, 0);
    await pass(40);
    assert.ok(looks >= 1 && looks <= 3, `${looks}`);
  });

  test('often while the server is away, and seldom again when it is back', async () => {
    answer = () => Promise.reject(new Disconnected());
    model.failed(new Disconnected());
    await pass(30);
    assert.ok(looks >= 3, `${looks}`);
    assert.equal(model.connection, 'lost');
    answer = async () => status();
    await pass(12);
    assert.equal(model.connection, 'ready');
    assert.deepEqual(rings, [null]);
    looks = 0;
    await pass(28);
    assert.ok(looks <= 1, `${looks}`);
  });

  test('not at all where there is nobody to answer, until somebody asks for it', async () => {
    answer = () => Promise.reject(new ApiError(404, 'http', 'no'));
    void model.refresh();
    await pass(1);
    assert.equal(model.connection, 'missing');
    looks = 0;
    await pass(300);
    assert.equal(looks, 0);
    void model.refresh();
    await pass(1);
    assert.equal(looks, 1);
  });

  test('often while the bell is quiet although there was something to say', async () => {
    let seq = 5;
    answer = async () => status({ seq: (seq += 1) });
    await pass(60);
    assert.ok(rings.length >= 3, `${rings.length}`);
    assert.ok(rings.every(one => one === null));
    answer = async () => status({ seq });
    ring(seq + 1); // it rings again
    rings.length = 0;
    looks = 0;
    await pass(25);
    assert.ok(looks <= 1, `${looks}`);
  });

  test('no more once it is disposed', async () => {
    model.dispose();
    assert.ok(model.isDisposed);
    await pass(120);
    ring(6);
    assert.deepEqual([looks, rings], [0, []]);
  });
});

describe('what it makes of refusals', () => {
  const rows: [string, unknown, string][] = [
    ['no answer', new Disconnected(), 'lost'],
    ['no such address', new ApiError(404, 'http', 'no'), 'missing'],
    ['a login that is over', new ApiError(403, 'http', 'no'), 'lost'],
    ['a fault of the server', new ApiError(500, 'http', 'no'), 'lost'],
    ['what nobody expected', new TypeError('x'), 'lost']
  ];
  for (const [what, error, connection] of rows) {
    test(what, async () => {
      answer = () => Promise.reject(error);
      void model.refresh();
      await pass(1);
      assert.equal(model.connection, connection);
    });
  }

  test('of one request: only a missing answer is a reason to look', async () => {
    for (const error of [new ApiError(500, 'x', 'no'), new TypeError('x'), 'odd', undefined]) {
      model.failed(error);
    }
    await pass(1);
    assert.deepEqual([model.connection, looks], ['ready', 0]);
  });

  test('of many requests at once: one look', async () => {
    answer = () => Promise.reject(new Disconnected());
    for (let request = 0; request < 20; request += 1) {
      model.failed(new Disconnected());
    }
    await pass(1);
    assert.equal(looks, 1);
  });

  test('each change of the connection is told once', async () => {
    const told: string[] = [];
    model.stateChanged.connect(() => told.push(model.connection));
    answer = () => Promise.reject(new Disconnected());
    void model.refresh();
    await pass(10);
    answer = async () => status();
    await pass(15);
    assert.deepEqual(told, ['lost', 'ready']);
  });
});

describe('what an event may be', () => {
  const rows: [string, unknown, Record<string, unknown>, Ring[]][] = [
    ['a number as text', '6', {}, [{ kinds: ['run'], runIds: [] }]],
    ['without lists', 6, { kinds: null, run_ids: undefined }, [{ kinds: [], runIds: [] }]],
    [
      'lists of what is no text',
      6,
      { kinds: [1], run_ids: [2] },
      [{ kinds: ['1'], runIds: ['2'] }]
    ],
    ['a number that went back', 4, {}, []],
    ['another schema', 6, { schema_id: 'https://example.org/x' }, []]
  ];
  for (const [what, seq, changes, expected] of rows) {
    test(what, () => {
      ring(seq, changes);
      assert.deepEqual(rings, expected);
    });
  }

  test('before the first answer nothing is known of numbers', async () => {
    let give = (_: Status): void => undefined;
    const early = new Model(() => new Promise(resolve => (give = resolve)), events, 'never');
    const heard: Ring[] = [];
    early.rang.connect((_, one) => heard.push(one));
    ring(6);
    assert.deepEqual(heard, []);
    assert.deepEqual([early.connection, early.status], ['connecting', null]);
    await pass(1);
    give(status({ seq: 6 }));
    await settle();
    assert.deepEqual([heard, early.status?.user_name], [[null], 'ada']);
    early.dispose();
  });

  test('after a gap the next number counts from there', () => {
    ring(9, { kinds: ['model'] });
    ring(10, { kinds: ['model'] });
    ring(10, { kinds: ['model'] });
    assert.deepEqual(rings, [null, { kinds: ['model'], runIds: [] }]);
  });

  test('a look that was asked before an event does not take it back', async () => {
    ring(6);
    answer = async () => status({ seq: 5 }); // made before it rang
    void model.refresh();
    await pass(1);
    ring(7);
    assert.deepEqual(rings.slice(1), [{ kinds: ['run'], runIds: [] }]);
  });
});

describe('a query', () => {
  test('says so after each answer, the same and none included', async () => {
    const values = [1, 1, undefined];
    const query = new Query<number | undefined>(model, async () => values.shift());
    let told = 0;
    query.changed.connect(() => (told += 1));
    await settle();
    await query.refresh();
    await query.refresh();
    assert.deepEqual([told, query.value], [3, undefined]);
    query.dispose();
  });

  test('that failed is asked again by the next ring', async () => {
    let isUp = false;
    const query = new Query(model, async () => {
      if (!isUp) {
        throw new ApiError(500, 'x', 'it broke');
      }
      return 'well';
    });
    await settle();
    assert.equal(query.error?.message, 'it broke');
    assert.equal(query.value, undefined);
    isUp = true;
    ring(6);
    await settle();
    assert.deepEqual([query.value, query.error], ['well', null]);
    query.dispose();
  });

  test('that is disposed while it is answered tells nothing, and asks nothing more', async () => {
    let give = (_: string): void => undefined;
    let asked = 0;
    const query = new Query(model, () => {
      asked += 1;
      return new Promise<string>(resolve => (give = resolve));
    });
    let told = 0;
    query.changed.connect(() => (told += 1));
    ring(6); // there would be something new to ask for
    query.dispose();
    give('late');
    await settle();
    assert.deepEqual([told, asked], [0, 1]);
  });
});

describe('where the panel stands', () => {
  let navigation: Navigation;
  let changes: number;
  beforeEach(() => {
    navigation = new Navigation();
    changes = 0;
    navigation.changed.connect(() => (changes += 1));
  });
  const stands = (): [string, string, boolean] => [
    navigation.section,
    navigation.pipeline,
    navigation.isFormOpen
  ];

  test('at first with the pipelines, none of them unfolded', () =>
    assert.deepEqual(stands(), ['pipelines', '', false]));

  test('the settings say where it begins, once', () => {
    navigation.beginWith('models');
    assert.deepEqual([navigation.section, changes], ['models', 1]);
    navigation.beginWith('models');
    assert.equal(changes, 1);
  });

  for (const choose of [
    (): void => navigation.showSection('runs'),
    (): void => navigation.showPipeline('p.yaml')
  ]) {
    test('what somebody has chosen stays, when the settings come late', () => {
      choose();
      const before = stands();
      navigation.beginWith('models');
      assert.deepEqual(stands(), before);
    });
  }

  test('a pipeline is unfolded with its form or without, and folded again', () => {
    navigation.showSection('models');
    navigation.showPipeline('p.yaml', true);
    assert.deepEqual(stands(), ['pipelines', 'p.yaml', true]);
    navigation.showPipeline('p.yaml');
    assert.deepEqual(stands(), ['pipelines', 'p.yaml', false]);
    navigation.showPipeline('');
    assert.deepEqual(stands(), ['pipelines', '', false]);
    assert.equal(changes, 4);
  });

  test('it stays unfolded while another section is looked at', () => {
    navigation.showPipeline('p.yaml', true);
    navigation.showSection('runs');
    navigation.showSection('pipelines');
    assert.deepEqual(stands(), ['pipelines', 'p.yaml', true]);
  });
});

describe('what the settings say', () => {
  const rows: [string, Record<string, unknown>, [string, number, boolean]][] = [
    ['nothing', {}, ['pipelines', 50, true]],
    ['all', { section: 'runs', pageSize: 10, showCosts: false }, ['runs', 10, false]],
    ['of another type', { section: 3, pageSize: '10', showCosts: null }, ['pipelines', 50, true]],
    ['of what there is not', { toString: 'x', nonsense: 1 }, ['pipelines', 50, true]]
  ];
  for (const [what, composite, expected] of rows) {
    test(what, () => {
      const preferences = new Preferences();
      let changes = 0;
      preferences.changed.connect(() => (changes += 1));
      preferences.read(composite);
      const { section, pageSize, showCosts } = preferences.value;
      assert.deepEqual([section, pageSize, showCosts], expected);
      assert.equal(changes, 1);
    });
  }
});
