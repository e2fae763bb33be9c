import { Page, during, until } from './page';
import { Signal } from '@lumino/signaling';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import type { ReactElement } from 'react';
import { ApiError, Disconnected } from '../api';
import {
  type IQueryView,
  useConnection,
  useGrowing,
  useNow,
  usePreferences,
  useQuery,
  useRested
} from '../hooks';
import { CHANGE_SCHEMA, type IEvent, Model } from '../model';
import { Preferences } from '../preferences';
import { status } from './samples';

let page: Page;
let model: Model;
let events: Signal<unknown, IEvent>;
let isUp: boolean;
let seq: number;

beforeEach(async () => {
  page = new Page();
  events = new Signal<unknown, IEvent>({});
  isUp = true;
  seq = 5;
  model = new Model(
    async () => {
      if (!isUp) {
        throw new Disconnected();
      }
      return status({ seq });
    },
    events,
    'never'
  );
  await until(() => model.connection === 'ready');
});
afterEach(async () => {
  await page.close();
  model.dispose();
});

/** The server says that something has changed. */
const ring = (kinds: string[], runIds: string[] = [], by = 1): Promise<void> => {
  seq += by;
  const event = { schema_id: CHANGE_SCHEMA, server_id: 'a', seq, kinds, run_ids: runIds };
  return during(() => events.emit(event));
};

describe('a query', () => {
  let asked: string[];
  let answer: (key: string) => Promise<string>;
  let view: IQueryView<string>;
  beforeEach(() => {
    asked = [];
    answer = async key => `${key} ${asked.length}`;
  });

  function Asking(props: { of: string; kinds?: string[]; runId?: string }): ReactElement {
    view = useQuery(
      model,
      [props.of],
      () => {
        asked.push(props.of);
        return answer(props.of);
      },
      props.kinds,
      props.runId
    );
    return <p>{view.error ? view.error.message : (view.value ?? 'nothing yet')}</p>;
  }

  test('is asked once, and shows what it was told', async () => {
    await page.show(<Asking of="a" />);
    assert.equal(page.text, 'a 1');
    await page.show(<Asking of="a" />); // drawn again for another reason
    assert.deepEqual(asked, ['a']);
  });

  test('of something else keeps the old answer until the new one is there', async () => {
    await page.show(<Asking of="a" />);
    let give = (_: string): void => undefined;
    answer = () => new Promise<string>(resolve => (give = resolve));
    await page.show(<Asking of="b" />);
    assert.equal(page.text, 'a 1');
    await during(() => give('b at last'));
    assert.equal(page.text, 'b at last');
  });

  test('an answer that comes late, of what is asked no more, is not shown', async () => {
    const give: Record<string, (text: string) => void> = {};
    answer = key => new Promise<string>(resolve => (give[key] = resolve));
    await page.show(<Asking of="a" />);
    await page.show(<Asking of="b" />);
    await during(() => give.b('of b'));
    await during(() => give.a('of a'));
    assert.equal(page.text, 'of b');
  });

  const rings: [string, string[], string, string[], string[], number][] = [
    ['of its kind', ['run'], '', ['run'], ['r1'], 2],
    ['of another kind', ['run'], '', ['model'], [], 1],
    ['of several kinds', ['run'], '', ['model', 'run'], [], 2],
    ['of any kind, where it has none', [], '', ['feature'], [], 2],
    ['of its run', ['run'], 'r1', ['run'], ['r0', 'r1'], 2],
    ['of another run', ['run'], 'r1', ['run'], ['r2'], 1],
    ['of no run by name', ['run'], 'r1', ['run'], [], 2]
  ];
  for (const [what, kinds, runId, rung, runIds, times] of rings) {
    test(`a ring ${what}`, async () => {
      await page.show(<Asking of="a" kinds={kinds} runId={runId} />);
      await ring(rung, runIds);
      assert.equal(asked.length, times);
    });
  }

  test('a gap in the numbers concerns everybody', async () => {
    await page.show(<Asking of="a" kinds={['run']} runId="r1" />);
    await ring(['model'], [], 2);
    assert.equal(page.text, 'a 2');
  });

  test('a refusal is told, and the answer before it is kept', async () => {
    await page.show(<Asking of="a" />);
    answer = () => Promise.reject(new ApiError(409, 'conflict', 'not now', 'wait'));
    await ring(['run']);
    assert.equal(page.text, 'not now');
    assert.equal(view.value, 'a 1');
    answer = async () => 'well again';
    await during(() => view.refresh());
    assert.equal(page.text, 'well again');
    assert.equal(view.error, null);
  });

  test('where the new answer is refused, the old one is there still', async () => {
    await page.show(<Asking of="a" />);
    answer = () => Promise.reject(new ApiError(404, 'missing', 'no b'));
    await page.show(<Asking of="b" />);
    assert.deepEqual([view.value, page.text], ['a 1', 'no b']);
  });

  test('what is thrown and is no error is told as one', async () => {
    answer = () => Promise.reject('odd');
    await page.show(<Asking of="a" />);
    assert.equal(page.text, 'odd');
  });

  test('when the server is back everything is asked again', async () => {
    await page.show(<Asking of="a" />);
    isUp = false;
    answer = () => Promise.reject(new Disconnected());
    await during(() => view.refresh());
    assert.equal(page.text, 'the server does not answer');
    assert.equal(model.connection, 'lost');
    isUp = true;
    answer = async () => 'there';
    await during(() => model.refresh());
    assert.equal(page.text, 'there');
  });

  test('what is shown no more asks no more', async () => {
    await page.show(<Asking of="a" />);
    await page.show(<p />);
    await ring(['run']);
    assert.deepEqual(asked, ['a']);
    view.refresh(); // somebody kept it: no harm
  });
});

describe('the connection', () => {
  function Connected(): ReactElement {
    return <p>{useConnection(model)}</p>;
  }

  test('is shown as it changes', async () => {
    await page.show(<Connected />);
    assert.equal(page.text, 'ready');
    isUp = false;
    await during(() => model.failed(new Disconnected()));
    assert.equal(page.text, 'lost');
    isUp = true;
    await during(() => model.refresh());
    assert.equal(page.text, 'ready');
  });
});

describe('preferences', () => {
  test('are shown as they change, each with what it is at first', async () => {
    const preferences = new Preferences();
    function Told(): ReactElement {
      const { section, pageSize, showCosts } = usePreferences(preferences);
      return <p>{`${section} ${pageSize} ${showCosts}`}</p>;
    }
    await page.show(<Told />);
    assert.equal(page.text, 'pipelines 50 true');
    await during(() => preferences.read({ pageSize: 20, showCosts: false }));
    assert.equal(page.text, 'pipelines 20 false');
    await during(() => preferences.read({}));
    assert.equal(page.text, 'pipelines 50 true');
  });
});

describe('time', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1000 }));
  afterEach(() => mock.timers.reset());

  function Clock({ isLive }: { isLive: boolean }): ReactElement {
    return <p>{useNow(isLive)}</p>;
  }

  test('goes on while something is live, and stands still when it is over', async () => {
    await page.show(<Clock isLive />);
    assert.equal(page.text, '1000');
    await during(() => mock.timers.tick(2000));
    assert.equal(page.text, '3000');
    await page.show(<Clock isLive={false} />);
    await during(() => mock.timers.tick(5000));
    assert.equal(page.text, '3000');
  });
});

describe('what is drawn in parts', () => {
  const drawn: number[] = [];
  function Growing({ total }: { total: number }): ReactElement {
    const shown = useGrowing(total, 10);
    drawn.push(shown);
    return <p>{shown}</p>;
  }

  test('grows until all is there, and never shrinks back to a part', async () => {
    await page.show(<Growing total={35} />);
    await until(() => page.text === '35');
    assert.deepEqual(
      [...drawn].sort((a, b) => a - b),
      drawn
    );
    drawn.length = 0;
    await page.show(<Growing total={36} />); // one more: at once
    assert.equal(page.text, '36');
    await page.show(<Growing total={3} />);
    assert.equal(page.text, '3');
    assert.deepEqual([...new Set(drawn)], [36, 3]);
  });

  for (const total of [0, 1, 10]) {
    test(`${total} are there at once`, async () => {
      await page.show(<Growing total={total} />);
      assert.equal(page.text, String(total));
    });
  }
});

describe('a value that rests', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  function Rested({ text }: { text: string }): ReactElement {
    return <p>{useRested(text, 250)}</p>;
  }

  test('follows when nothing was written for a while, past what was written meanwhile', async () => {
    await page.show(<Rested text="" />);
    for (const text of ['f', 'fl', 'flights']) {
      await page.show(<Rested text={text} />);
      await during(() => mock.timers.tick(200));
      assert.equal(page.text, '');
    }
    await during(() => mock.timers.tick(50));
    assert.equal(page.text, 'flights');
  });
});
