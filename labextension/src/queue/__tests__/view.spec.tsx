import { at, type Element, Refusal, useBench } from '../../panels/__tests__/page';
import { page } from '../../panels/__tests__/browser';
import { quotas } from '../../panels/__tests__/builders';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { QueueEntry, QueueList, Quotas } from '../../types';
import { QueueParts } from '../view';
import { entry as any, quota } from './builders';

const bench = useBench();
const entry = (more: Partial<QueueEntry> = {}): QueueEntry =>
  any({ run_id: 'r1', starts_at: at(720), since_at: at(-120), ...more });
const queue = (items: QueueEntry[], more: Partial<QueueList> = {}): QueueList => ({
  items,
  total: items.length,
  waiting: items.filter(({ state }) => state === 'waiting').length,
  ...more
});

async function show(told: QueueList, limits: Quotas = quotas()): Promise<void> {
  bench().server.says('GET queue', told).says('GET quotas', limits);
  await bench().show(<QueueParts context={bench().context} />);
}

const entries = (): Element[] => bench().all('[data-queued]');
const lines = (): string[] =>
  entries()[0]
    .querySelectorAll('.jp-mlops-Row-text')
    .map(one => one.textContent);

describe('the queue', () => {
  test('is not there where nothing limits anybody', async () => {
    await show(queue([]), quotas({ is_set: false }));
    assert.equal(bench().text, '');
  });

  test('is there while somebody waits, even if the quotas are gone', async () => {
    await show(queue([entry()]), quotas({ is_set: false }));
    assert.equal(entries().length, 1);
  });

  test('says that no run waits', async () => {
    await show(queue([]));
    assert.match(bench().text, /^Queue0No run waits\.$/);
  });

  test('counts who waits, not who was admitted, and says that there are more', async () => {
    const items = [entry({ state: 'admitted' }), entry({ run_id: 'r2' })];
    await show(queue(items, { total: 1200, waiting: 1199 }));
    assert.equal(bench().one('.jp-mlops-count').textContent, '1199');
    assert.match(bench().text, /… and 1198 more/);
  });

  test('is there before the quotas have come, and without them', async () => {
    bench()
      .server.says('GET queue', queue([entry()]))
      .says('GET quotas', new Refusal(500, 'no'));
    await bench().show(<QueueParts context={bench().context} />);
    assert.equal(entries().length, 1);
    assert.doesNotMatch(bench().text, /Quotas/);
  });

  for (const [kind, isAsked] of [
    ['queue', true],
    ['run', true],
    ['model', false]
  ] as const) {
    test(`is ${isAsked ? '' : 'not '}fetched anew when a ${kind} changes`, async () => {
      await show(queue([]));
      await bench().ring([kind]);
      for (const request of ['GET queue', 'GET quotas']) {
        assert.equal(bench().server.count(request), isAsked ? 2 : 1, request);
      }
    });
  }
});

describe('a run in the queue', () => {
  const shown: [what: string, Partial<QueueEntry>, sign: string, first: string, lines: string[]][] =
    [
      [
        'that waits',
        {},
        'queued',
        '2.train2m 00s',
        ['waits for 1 gpu; about 12 min', 'ana · night · priority 5 · preemptible']
      ],
      [
        'that waits, nobody knows for how long',
        { starts_at: null, position: 0 },
        'queued',
        'train2m 00s',
        ['waits for 1 gpu', 'ana · night · priority 5 · preemptible']
      ],
      [
        'that is held',
        { state: 'held', reason: 'ana holds it', starts_at: null },
        'cancelled',
        '2.train2m 00s',
        ['ana holds it', 'ana · night · priority 5 · preemptible']
      ],
      [
        'that was admitted',
        { state: 'admitted', admitted_at: at(-5) },
        'running',
        'train5.0s',
        ['ana · night · priority 5 · preemptible']
      ],
      [
        'of the usual queue and priority',
        { queue: 'default', priority: 0, is_preemptible: false },
        'queued',
        '2.train2m 00s',
        ['waits for 1 gpu; about 12 min', 'ana']
      ],
      [
        'of low priority, with a name like HTML',
        { priority: -10, pipeline: '<i>x</i>', is_preemptible: false },
        'queued',
        '2.<i>x</i>2m 00s',
        ['waits for 1 gpu; about 12 min', 'ana · night · priority -10']
      ]
    ];
  for (const [what, more, sign, first, said] of shown) {
    test(what, async () => {
      await show(queue([entry(more)]));
      assert.equal(entries()[0].querySelector('svg')!.getAttribute('aria-label'), sign);
      assert.equal(entries()[0].querySelector('.jp-mlops-Row-first')!.textContent, first);
      assert.deepEqual(lines(), said);
    });
  }

  test('has in its tooltip its id, why it waits, and since when', async () => {
    await show(queue([entry()]));
    const title = entries()[0].querySelector('button')!.getAttribute('title')!.split('\n');
    assert.deepEqual(title.slice(0, 3), ['r1', 'waits for 1 gpu', 'about 12 min']);
    assert.equal(title.length, 4);
  });

  test('waits longer by the second', async () => {
    await show(queue([entry({ since_at: at(-10) })]));
    await bench().wait(2000);
    assert.equal(entries()[0].querySelector('.jp-mlops-Row-when')!.textContent, '12s');
  });

  test('opens by a click', async () => {
    await show(queue([entry()]));
    await bench().click(entries()[0].querySelector('button')!);
    assert.deepEqual(bench().opened, [['run', { runId: 'r1', title: 'train' }]]);
  });

  test('of somebody else has no buttons', async () => {
    await show(queue([entry({ may_change: false })]));
    assert.equal(bench().all('button').length, 1);
  });
});

describe('what may be done with it', () => {
  for (const [state, button, isHeld] of [
    ['waiting', 'Hold', true],
    ['admitted', 'Hold', true],
    ['held', 'Release', false]
  ] as const) {
    test(`${button}, where it is ${state}`, async () => {
      await show(queue([entry({ state })]));
      bench().server.says('POST queue/r1', entry());
      await bench().click(button);
      assert.deepEqual(bench().server.last, ['POST queue/r1', { is_held: isHeld }]);
      assert.equal(bench().server.count('GET queue'), 2); // the order may be another one now
    });
  }

  test('is told where the server refuses', async () => {
    await show(queue([entry()]));
    bench().server.says('POST queue/r1', new Refusal(403, 'it is not yours', 'ask ana'));
    await bench().click('Hold');
    assert.deepEqual(
      bench().reported.map(({ message }) => message),
      ['it is not yours']
    );
  });

  const priorities: [what: string, typed: string | null, end: string, sent: number | null][] = [
    ['by Enter', '9', 'Enter', 9],
    ['when the field is left', '9', 'blur', 9],
    ['below zero', '-3', 'Enter', -3],
    ['zero', '0', 'Enter', 0],
    ['not by Escape', '9', 'Escape', null],
    ['not to what it is already', '5', 'Enter', null],
    ['not where nothing was typed', null, 'Enter', null],
    ['not to nothing', ' ', 'Enter', null],
    ['not to half a step', '1.5', 'Enter', null],
    ['not to a word', 'high', 'blur', null],
    ['not by another key', '9', 'a', null]
  ];
  for (const [what, typed, end, sent] of priorities) {
    test(`its priority changes ${what}`, async () => {
      await show(queue([entry()]));
      bench().server.says('POST queue/r1', entry());
      await bench().click('Priority…');
      const field = bench().field('Priority of train');
      assert.equal(page.activeElement, field);
      assert.equal(field.value, '5');
      if (typed !== null) {
        await bench().type('Priority of train', typed);
      }
      await (end === 'blur' ? bench().do(() => field.blur()) : bench().press(field, end));
      assert.deepEqual(
        bench().server.last,
        sent === null ? null : ['POST queue/r1', { priority: sent }]
      );
      assert.equal(bench().all('input').length, end === 'a' ? 1 : 0);
    });
  }

  test('is done for one entry, not for its neighbors', async () => {
    await show(queue([entry(), entry({ run_id: 'r2', pipeline: 'other' })]));
    bench().server.says('POST queue/r2', entry());
    await bench().click(bench().button('Priority…', entries()[1]));
    assert.equal(entries()[0].querySelectorAll('input').length, 0);
    await bench().click(bench().button('Hold', entries()[1]));
    assert.equal(bench().server.last![0], 'POST queue/r2');
  });
});

describe('quotas', () => {
  const meters = (): Element[] => bench().all('[role=meter]');
  const widths = (): unknown[] =>
    bench()
      .all('.jp-mlops-Meter-asked')
      .map(({ style }) => style.width);

  test('are counted and shown, each with its measure', async () => {
    const limits = [
      quota({ used: 1 }),
      quota({ scope: 'user', name: 'ada', resource: 'runs', limit: 3, used: 0 })
    ];
    await show(queue([]), quotas({ limits }));
    assert.equal(bench().one('summary').textContent, 'Quotas2');
    assert.deepEqual(
      meters().map(meter => [
        meter.getAttribute('aria-label'),
        meter.getAttribute('aria-valuetext'),
        meter.getAttribute('aria-valuemax')
      ]),
      [
        ['everybody: gpu', '1 / 4', '4'],
        ['user ada: runs', '0 / 3', '3']
      ]
    );
    assert.deepEqual(widths(), ['25%', '0%']);
  });

  const shares: [used: number, limit: number, width: string, isFull: boolean][] = [
    [0, 4, '0%', false],
    [3.5, 4, '87.5%', false],
    [4, 4, '100%', true],
    [9, 4, '100%', true], // the limit was lowered meanwhile
    [0, 0, '100%', true], // nobody may have any
    [-1, 4, '0%', false]
  ];
  for (const [used, limit, width, isFull] of shares) {
    test(`of ${used} in ${limit} fill ${width}`, async () => {
      await show(queue([]), quotas({ limits: [quota({ used, limit })] }));
      assert.deepEqual(widths(), [width]);
      assert.equal(bench().all('.jp-mod-full').length, isFull ? 1 : 0);
    });
  }
});
