import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PLAIN } from '../../schedules/fields';
import { outline } from '../outline';
import { EditError } from '../places';
import {
  addSchedule,
  argumentsOf,
  changeSchedule,
  declared,
  removeSchedule,
  renameSchedule,
  textsOf
} from '../schedules';

const TEXT = `name: flights
parameters:
  week: {type: int, default: 20, help: the newest week}
  title: late
tasks:
  pull: {notebook: pull.ipynb}

schedules:
  # before people come
  weekly:
    cron: 0 6 * * MON   # not on Sundays
    timezone: Europe/Zurich
    parameters:
      week: \${schedule.data_interval_start.week}   # the week before
    paused: true   # until the data is back
  nightly: {cron: "30 2 * * *", overlap: queue, jitter: 90, preemptible: true, priority: 5, queue: night}
`;

/** The text after a change of what the fields of a schedule say. */
function changed(
  changes: Partial<ReturnType<typeof textsOf>>,
  name = 'weekly',
  text = TEXT
): string {
  const pipeline = outline(text);
  const settings = pipeline.schedules[name];
  const parameters = declared(pipeline, argumentsOf(settings));
  const before = textsOf(settings, parameters);
  return changeSchedule(text, name, parameters, before, { ...before, ...changes });
}

const shownOf = (name: string, text = TEXT): ReturnType<typeof textsOf> => {
  const pipeline = outline(text);
  return textsOf(pipeline.schedules[name], declared(pipeline, {}));
};

describe('what the fields of a schedule show', () => {
  it('is what the file says', () => {
    assert.deepEqual(shownOf('weekly'), {
      ...PLAIN,
      cron: '0 6 * * MON',
      timezone: 'Europe/Zurich',
      isPaused: true,
      arguments: { week: '${schedule.data_interval_start.week}', title: '' }
    });
    assert.deepEqual(shownOf('nightly'), {
      ...PLAIN,
      cron: '30 2 * * *',
      overlap: 'queue',
      jitter: '90',
      arguments: { week: '', title: '' },
      queue: { queue: 'night', priority: '5', isPreemptible: true }
    });
  });

  it('is something, whatever is written', () => {
    const odd =
      'schedules: {a: 3, b: [1], c: {cron: 5, start: {x: 1}, parameters: [], paused: soon}}\n';
    assert.deepEqual(Object.keys(outline(odd).schedules), ['a', 'b', 'c']);
    assert.deepEqual(shownOf('a', odd), { ...PLAIN, arguments: {} });
    const { cron, start, isPaused } = shownOf('c', odd);
    assert.deepEqual([cron, start, isPaused], ['5', '{x: 1}', false]);
    assert.deepEqual(outline('schedules: soon\n').schedules, {});
  });

  it('has the parameters with their types, and what is given beyond them', () => {
    const found = declared(outline(TEXT), { week: 1, weak: 2 });
    assert.deepEqual(
      found.map(one => [one.name, one.type, one.default_text, one.is_required, one.help]),
      [
        ['week', 'int', '20', false, 'the newest week'],
        ['title', 'str', 'late', false, ''],
        ['weak', 'any', '', false, '']
      ]
    );
    const [required] = declared(outline('parameters: {rows: {type: int}}\n'), {});
    assert.deepEqual([required.type, required.is_required], ['int', true]);
  });
});

describe('a schedule that is changed', () => {
  const cases: [string, Parameters<typeof changed>[0], [string, string][]][] = [
    ['cron', { cron: ' @daily ' }, [['cron: 0 6 * * MON ', 'cron: "@daily" ']]],
    ['zone', { timezone: 'UTC' }, [['Europe/Zurich', 'UTC']]],
    ['no zone', { timezone: '' }, [['    timezone: Europe/Zurich\n', '']]],
    ['resumed', { isPaused: false }, [['paused: true ', 'paused: false ']]],
    [
      'argument',
      { arguments: { week: '7', title: '' } },
      [['${schedule.data_interval_start.week} ', '7 ']]
    ],
    [
      'text that looks like a number',
      { arguments: { week: '${schedule.data_interval_start.week}', title: '007' } },
      [['# the week before\n', '# the week before\n      title: "007"\n']]
    ],
    [
      'all at once',
      { overlap: 'cancel', jitter: '10m', start: '2026-01-31', end: '2026-12-31T06:00' },
      [
        [
          '# until the data is back\n',
          '# until the data is back\n    overlap: cancel\n    jitter: 10m\n    start: "2026-01-31"\n    end: "2026-12-31T06:00"\n'
        ]
      ]
    ],
    ['nothing', {}, []]
  ];
  for (const [what, changes, replaced] of cases) {
    it(`is changed where it says so, and nowhere else: ${what}`, () => {
      const wanted = replaced.reduce((made, [from, to]) => made.replace(from, to), TEXT);
      assert.notEqual(wanted === TEXT, replaced.length > 0);
      assert.equal(changed(changes), wanted);
    });
  }

  it('may stand in braces', () => {
    assert.equal(
      changed({ overlap: 'skip', jitter: '', catchUp: 'all' }, 'nightly'),
      TEXT.replace('overlap: queue, jitter: 90', 'overlap: skip').replace(
        'queue: night}',
        'queue: night, catch_up: all}'
      )
    );
    assert.equal(
      changed({ queue: { queue: '', priority: '-3', isPreemptible: false } }, 'nightly'),
      TEXT.replace(
        'preemptible: true, priority: 5, queue: night',
        'preemptible: false, priority: -3'
      )
    );
  });

  it('stays when the last thing that it says goes', () => {
    const bare = 'schedules:\n  a:\n    cron: 0 6 * * *\n';
    const empty = changed({ cron: '' }, 'a', bare);
    assert.deepEqual(outline(empty).schedules, { a: {} });
    assert.deepEqual(outline(changed({ cron: '@daily' }, 'a', empty)).schedules, {
      a: { cron: '@daily' }
    });
  });

  it('is refused where an anchor shares it', () => {
    const shared = 'x: &x {cron: "@daily"}\nschedules:\n  a: *x\n';
    assert.throws(() => changed({ cron: '@weekly' }, 'a', shared), EditError);
  });
});

describe('schedules', () => {
  it('are added at the end, or as the first', () => {
    assert.deepEqual(outline(addSchedule(TEXT, 'daily', '@daily', 'UTC')).schedules.daily, {
      cron: '@daily',
      timezone: 'UTC'
    });
    assert.equal(
      addSchedule('name: a\ntasks: {}\n', 'daily', '0 6 * * *', 'UTC'),
      'name: a\ntasks: {}\nschedules:\n  daily:\n    cron: 0 6 * * *\n    timezone: UTC\n'
    );
  });

  it('need a name that is free and fine', () => {
    for (const name of ['weekly', '', '1st', 'a b', 'ä']) {
      assert.throws(() => addSchedule(TEXT, name, '@daily', 'UTC'), EditError, name);
      assert.throws(() => renameSchedule(TEXT, 'nightly', name), EditError, name);
    }
  });

  it('get another name in their place', () => {
    assert.equal(
      renameSchedule(TEXT, 'weekly', 'mondays'),
      TEXT.replace('  weekly:', '  mondays:')
    );
    assert.equal(renameSchedule(TEXT, 'weekly', 'weekly'), TEXT);
  });

  it('go with the comments above them, and the last one with the heading', () => {
    const first = removeSchedule(TEXT, 'weekly');
    assert.deepEqual(Object.keys(outline(first).schedules), ['nightly']);
    assert.ok(!first.includes('before people come'));
    const none = removeSchedule(first, 'nightly');
    assert.equal(none, TEXT.slice(0, TEXT.indexOf('\nschedules')));
  });
});
