import { at, type Element, later, Refusal, SILENCE, useBench } from '../../panels/__tests__/page';
import { page } from '../../panels/__tests__/browser';
import { quotas } from '../../panels/__tests__/builders';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_RESOURCES } from '../../__tests__/samples';
import { trans } from '../../language';
import type { Compute, Unit } from '../../types';
import { asks, createCompute } from '../section';
import { compute, machine, running, waiting } from './builders';

const bench = useBench();
const GIB = 2 ** 30;

async function show(told: Compute): Promise<void> {
  bench()
    .server.says('GET compute', told)
    .says('GET units', { items: [] })
    .says('GET queue', { items: [], total: 0, waiting: 0 })
    .says('GET quotas', quotas({ is_set: false }));
  await bench().show(createCompute(bench().context));
}

const meters = (): Element[] => bench().all('[role=meter]');
const said = (): (string | null)[] => meters().map(meter => meter.getAttribute('aria-valuetext'));
const row = (task: string): Element =>
  bench()
    .all('[data-task]')
    .find(one => one.getAttribute('data-task') === task)!;
const counts = (): string[] => bench().texts('.jp-mlops-count');

describe('the section Compute', () => {
  test('says that it loads, what went wrong, and tries again', async () => {
    const { answer, come } = later();
    bench().server.says('GET compute', () => answer);
    await bench().show(createCompute(bench().context));
    assert.equal(bench().one('[role=status]').textContent, 'Loading');
    await bench().do(() => come(new Refusal(502, 'away')));
    assert.match(bench().one('[role=alert]').textContent, /the server does not answer/);
    bench().server.says('GET status', SILENCE);
    await show(compute());
    await bench().click('Try again');
    assert.match(bench().text, /here/);
  });

  test('says that nothing runs, nobody waits, and where tasks would run', async () => {
    await show(compute({ backend: 'dask at <tcp://x>' }));
    assert.match(bench().text, /Nothing runs\..*Nobody waits\..*Backend: dask at <tcp:\/\/x>/s);
    assert.deepEqual(counts(), ['0', '0']);
  });

  test('says that no machine is known', async () => {
    await show(compute({ units: [] }));
    assert.match(bench().text, /No machine is known/);
  });

  test('asks every five seconds, since loads ring no bell, but not where nobody looks', async () => {
    await show(compute());
    const times = (): number => bench().server.count('GET compute');
    await bench().wait(4999);
    assert.equal(times(), 1);
    await bench().wait(1);
    assert.equal(times(), 2);
    Object.assign(page, { hidden: true });
    await bench().wait(60_000);
    assert.equal(times(), 2);
    Object.assign(page, { hidden: false });
    await bench().wait(5000);
    assert.equal(times(), 3);
    await bench().show(<div />);
    await bench().wait(60_000);
    assert.equal(times(), 3);
  });

  test('asks at once when a run changes', async () => {
    await show(compute());
    await bench().ring(['run']);
    assert.equal(bench().server.count('GET compute'), 2);
    await bench().ring(['model']);
    assert.equal(bench().server.count('GET compute'), 2);
  });

  test('shows the last that is known while the server is away', async () => {
    await show(compute({ running: [running('fit')] }));
    bench().server.says('GET compute', SILENCE).says('GET status', SILENCE);
    await bench().wait(5000);
    assert.ok(row('fit'));
  });
});

describe('a machine', () => {
  const machines: [what: string, Unit, title: string, said: string[]][] = [
    [
      'idle',
      machine('here'),
      'here0 of 4 places',
      ['0 of 4 asked for', '0 B of 16.0 GiB asked for']
    ],
    [
      'with its load measured',
      machine('here', {
        tasks: 2,
        cpu: 1.5,
        memory_bytes: GIB,
        load_percent: 50,
        used_memory_bytes: 3 * GIB
      }),
      'here2 of 4 places',
      ['1.5 of 4 asked for, 2 in use', '1.0 GiB of 16.0 GiB asked for, 3.0 GiB in use']
    ],
    [
      'with no load at all, which is not unknown',
      machine('here', { load_percent: 0, used_memory_bytes: 0 }),
      'here0 of 4 places',
      ['0 of 4 asked for, 0 in use', '0 B of 16.0 GiB asked for, 0 B in use']
    ],
    [
      'with accelerators of a kind',
      machine('gpu-1', { gpu: 2 }, { gpu: 8, accelerator: 'h100' }),
      'gpu-10 of 4 places',
      ['0 of 4 asked for', '0 B of 16.0 GiB asked for', '2 of 8 asked for']
    ],
    [
      'called like HTML, with more asked for than there is',
      machine('<b>w</b>', { cpu: 9, memory_bytes: 32 * GIB }),
      '<b>w</b>0 of 4 places',
      ['9 of 4 asked for', '32.0 GiB of 16.0 GiB asked for']
    ]
  ];
  for (const [what, told, title, wanted] of machines) {
    test(`that is ${what}`, async () => {
      await show(compute({ units: [told] }));
      assert.equal(bench().one('section header').textContent, title);
      assert.deepEqual(said(), wanted);
    });
  }

  test('calls its accelerators GPUs where their kind is not known', async () => {
    await show(compute({ units: [machine('w', {}, { gpu: 1 })] }));
    assert.deepEqual(
      meters().map(meter => meter.getAttribute('aria-label')),
      ['Cores', 'Memory', 'GPUs']
    );
  });

  test('is full where all is asked for, however little is in use', async () => {
    await show(compute({ units: [machine('w', { cpu: 4, load_percent: 1 })] }));
    const [cores, memory] = bench().all('.jp-mlops-Meter');
    assert.match(cores.className, /jp-mod-full/);
    assert.doesNotMatch(memory.className, /jp-mod-full/);
    const [asked, measured] = cores.querySelector('[role=meter]')!.querySelectorAll('span');
    assert.deepEqual([asked.style.width, measured.style.width], ['100%', '1%']);
    assert.match(cores.textContent, /0 \/ 4$/); // what is in use, not what is asked for
  });

  const widths: [use: Partial<Unit['in_use']>, cpu: number, asked: string, measured: string][] = [
    [{ cpu: 1, load_percent: 12.5 }, 4, '25%', '12.5%'],
    [{ cpu: 8, load_percent: 250 }, 4, '100%', '100%'],
    [{ cpu: 0, load_percent: 0 }, 0, '0%', '0%'],
    [{ cpu: 1, load_percent: 10 }, 0, '0%', '0%'] // it tells of no cores: nothing is divided by zero
  ];
  for (const [use, cpu, asked, measured] of widths) {
    test(`of ${cpu} cores fills ${asked} by ${use.cpu} asked for and ${measured} by the load`, async () => {
      await show(compute({ units: [machine('w', use, { cpu })] }));
      const spans = meters()[0].querySelectorAll('span');
      assert.deepEqual(
        spans.map(({ style }) => style.width),
        [asked, measured]
      );
    });
  }
});

describe('what a task asks for', () => {
  const resources: [Partial<typeof NO_RESOURCES> | object, string][] = [
    [{}, ''],
    [{ cpu: 1 }, '1 core'],
    [{ cpu: 0.5 }, '0.5 cores'],
    [{ cpu: 64 }, '64 cores'],
    [{ cpu: 0, memory_bytes: 0, gpu: 0 }, ''],
    [{ memory_bytes: 1536 * 2 ** 20 }, '1.5 GiB'],
    [{ gpu: 2 }, '2 GPU'],
    [{ gpu: 1, accelerator: 'h100' }, '1 h100'],
    [{ accelerator: 'h100' }, ''],
    [{ cpu: 1, spot: true, image: 'a/b' }, '1 core, on spot'],
    [{ cpu: 1, spot: false }, '1 core'],
    [{ cpu: 2, memory_bytes: GIB, gpu: 1, accelerator: 'a<100' }, '2 cores, 1.0 GiB, 1 a<100']
  ];
  for (const [given, wanted] of resources) {
    test(`${JSON.stringify(given)} is "${wanted}"`, () =>
      assert.equal(
        asks(waiting('fit', { resources: { ...NO_RESOURCES, ...given } }), trans),
        wanted
      ));
  }
});

describe('what runs', () => {
  test('tells how long, of which pipeline, where, and how far', async () => {
    const tasks = [
      running('pull', { started_at: at(-12), worker: 'w0', cell: 2, cells: 9 }),
      running('fit[a=<1>]', { resources: { ...NO_RESOURCES, cpu: 2 } }),
      running('late', { started_at: at(30), cell: 11, cells: 9 })
    ];
    await show(compute({ running: tasks }));
    assert.deepEqual(counts(), ['3', '0']);
    assert.deepEqual(
      tasks.map(({ task }) => row(task).textContent),
      [
        'pull12sflights · w0 · cell 2/9',
        'fit[a=<1>]3.0sflights · 2 cores', // nobody knows since when: how long it had taken when that was asked
        'late0.0sflights · cell 9/9'
      ]
    );
    assert.equal(row('pull').querySelector('button')!.getAttribute('title'), 'flights · ada');
  });

  test('grows older by the second', async () => {
    await show(compute({ running: [running('pull', { started_at: at(-58) })] }));
    await bench().wait(3000);
    assert.match(row('pull').textContent, /1m 01s/);
  });

  test('opens its run by a click', async () => {
    await show(compute({ running: [running('pull', { run_id: 'r7', pipeline: 'other' })] }));
    await bench().click(row('pull').querySelector('button')!);
    assert.deepEqual(bench().opened, [['run', { runId: 'r7', title: 'other' }]]);
  });

  test('may be the same task of two runs', async () => {
    await show(compute({ running: [running('fit'), running('fit', { run_id: 'r2' })] }));
    assert.equal(bench().all('[data-task=fit]').length, 2);
  });
});

describe('who waits', () => {
  test('says why, since when, and for what', async () => {
    const task = waiting('fit', {
      why: 'waits for 1 gpu of <w0>',
      since: at(-75),
      resources: { ...NO_RESOURCES, gpu: 1 }
    });
    await show(compute({ waiting: [task] }));
    assert.deepEqual(counts(), ['0', '1']);
    assert.equal(row('fit').textContent, 'fit1m 15swaits for 1 gpu of <w0>1 GPU');
    assert.equal(
      row('fit').querySelector('button')!.getAttribute('title'),
      'flights · ada\nwaits for 1 gpu of <w0>'
    );
  });

  test('opens its run by a click', async () => {
    await show(compute({ waiting: [waiting('fit')] }));
    await bench().click(row('fit').querySelector('button')!);
    assert.deepEqual(bench().opened, [['run', { runId: 'r1', title: 'flights' }]]);
  });
});
