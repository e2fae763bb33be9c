import { later, Refusal, useBench } from '../../panels/__tests__/page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Estimate } from '../../types';
import { create } from '../costTab';
import { breakEven, estimate, suggestion } from './builders';

const bench = useBench();
const PATH = 'team/ä b/p.yaml';
const COST = `GET pipelines/${PATH}/cost`;

async function show(answer: unknown = estimate(), title?: string): Promise<void> {
  bench().server.says(COST, answer);
  await bench().show(create(bench().context, { path: PATH, ...(title ? { title } : {}) }));
}

const asked = (): (string | undefined)[] =>
  bench()
    .server.queries(COST)
    .map(query => query.runs_a_month);

describe('the tab of a cost', () => {
  test('says that it loads, what went wrong, and tries again', async () => {
    const { answer, come } = later();
    await show(() => answer);
    assert.equal(bench().one('[role=status]').textContent, 'Loading costs');
    await bench().do(() => come(new Refusal(409, 'it never ran', 'run it once')));
    assert.match(bench().one('[role=alert]').textContent, /it never ran.*run it once/);
    assert.equal(bench().all('input').length, 0);
    bench().server.says(COST, estimate());
    await bench().click('Try again');
    assert.equal(bench().all('table').length, 1);
  });

  for (const [title, head] of [
    ['churn <b>', 'What churn <b> costs'],
    [undefined, `What ${PATH} costs`]
  ]) {
    test(`is about ${title ?? 'a path'}`, async () => {
      await show(estimate(), title);
      assert.equal(bench().one('h1').textContent, head);
    });
  }

  const basis: [changes: Partial<Estimate>, said: string][] = [
    [{}, '30 runs a month, by its schedules; a run is 1h 30m of work'],
    [
      { runs_a_month: 43_800, hours: 0.001 },
      '43,800 runs a month, by its schedules; a run is 3.6s of work'
    ],
    [
      { runs_a_month: 4.3456, basis: 'its history' },
      '4.35 runs a month, by its history; a run is 1h 30m of work'
    ],
    [
      { runs_a_month: 99.96, hours: 0 },
      '100 runs a month, by its schedules; a run is 0.0s of work'
    ],
    [
      { runs_a_month: null, basis: 'nothing' },
      '0 runs a month, by nothing; a run is 1h 30m of work'
    ]
  ];
  for (const [changes, said] of basis) {
    test(`says on what it is based: ${said}`, async () => {
      await show(estimate(changes));
      assert.equal(bench().one('header p').textContent, said);
    });
  }

  test('follows runs and schedules, not models', async () => {
    await show();
    for (const [kind, count] of [
      ['model', 1],
      ['run', 2],
      ['schedule', 3]
    ] as const) {
      await bench().ring([kind]);
      assert.equal(bench().server.count(COST), count, kind);
    }
  });
});

describe('how often it runs', () => {
  test('is what the server knows, until somebody says otherwise', async () => {
    await show();
    assert.equal(bench().field('Runs a month').getAttribute('placeholder'), '30');
    assert.deepEqual(asked(), [undefined]);
  });

  const typed: [text: string, sent: string | undefined, isWrong: boolean][] = [
    ['100', '100', false],
    ['0', '0', false],
    ['0.5', '0.5', false],
    ['10000000', '10000000', false],
    ['10000001', undefined, true],
    ['-1', undefined, true],
    ['often', undefined, true],
    [' ', undefined, false]
  ];
  for (const [text, sent, isWrong] of typed) {
    test(`"${text}" is ${isWrong ? 'refused at the field' : sent ? 'asked for' : 'nothing'}`, async () => {
      await show();
      await bench().type('Runs a month', text);
      await bench().wait(300);
      assert.equal(asked().pop(), sent);
      assert.deepEqual(bench().texts('.jp-mlops-note'), isWrong ? ['0 or more'] : []);
      assert.equal(bench().all('table').length, 1); // what was there stays
    });
  }

  test('is asked for when the typing rests', async () => {
    await show();
    for (const text of ['1', '10', '100']) {
      await bench().type('Runs a month', text);
      await bench().wait(200);
    }
    await bench().wait(100);
    assert.deepEqual(asked(), [undefined, '100']);
  });
});

describe('owning or renting', () => {
  test('is compared where there is a server to own', async () => {
    await show();
    assert.match(
      bench().text,
      /A server of one’s own \(r6615\) costs \$300 a month, used or not\./
    );
    assert.match(bench().text, /This keeps it busy 20 % of the time\./);
    assert.equal(bench().all('svg').length, 1);
  });

  test('says nothing of how busy it is where nobody knows', async () => {
    await show(estimate({ load: 0 }));
    assert.doesNotMatch(bench().text, /busy/);
  });

  const without: [what: string, Partial<Estimate>][] = [
    ['a server', { server: null }],
    ['a cloud', { break_evens: [] }]
  ];
  for (const [what, changes] of without) {
    test(`is not compared without ${what}`, async () => {
      await show(estimate(changes));
      assert.doesNotMatch(bench().text, /Own or rent/);
      assert.equal(bench().all('svg').length, 0);
    });
  }

  test('is compared with each cloud', async () => {
    await show(
      estimate({ break_evens: [breakEven('aws'), breakEven('gcp', { utilization: null })] })
    );
    const label = bench().one('svg').getAttribute('aria-label')!;
    assert.match(label, /owning is cheaper than aws from 33 % of the time; gcp is always cheaper/);
  });
});

describe('what tasks should ask for', () => {
  test('is what they ask for, where they do it well', async () => {
    await show();
    assert.match(bench().text, /Every task asks for about what it uses\./);
  });

  test('is told task by task; who asks for too little stands out', async () => {
    await show(
      estimate({
        suggestions: [
          suggestion('<fit>', { asked_memory: 2 ** 34 }),
          suggestion('pull', { asked_memory: null, peak_memory: 0 }),
          suggestion('join', { asked_memory: 2 ** 28, is_short: true }),
          suggestion('both', { asked_cpu: 4, busy_cpus: 0.912, cpu: 1 }),
          suggestion('busy', { memory: null, busy_cpus: 3.1, cpu: 4 })
        ]
      })
    );
    const table = bench().all('table')[1];
    assert.deepEqual(
      table
        .querySelectorAll('tbody tr')
        .map(row => [...row.querySelectorAll('td').map(cell => cell.textContent), row.className]),
      [
        ['<fit>', '16.0 GiB', '1.0 GiB', '2.0 GiB', ''],
        ['pull', 'nothing', '0 B', '2.0 GiB', ''],
        ['join', '256 MiB', '1.0 GiB', '2.0 GiB', 'jp-mod-short'],
        ['both', 'nothing', '1.0 GiB', '2.0 GiB', ''],
        ['', '4 CPUs', '0.91 CPUs', '1 CPU', ''],
        ['busy', 'nothing', '3.1 CPUs', '4 CPUs', '']
      ]
    );
  });
});
