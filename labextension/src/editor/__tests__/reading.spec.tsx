import { follow, settle } from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { grouped, placeAll, useKnown, useRead, useText } from '../reading';
import { picture, placed, problem, SharedText } from './builders';

const GOOD: string = 'name: flights\ntasks:\n  pull: {notebook: pull.ipynb}\n';

describe('the text of a document', () => {
  it('is followed, whoever changes it', async () => {
    const shared = new SharedText('a');
    const text = follow(useText, shared);
    assert.equal(text.now(), 'a');
    await settle(() => shared.become('b'));
    assert.equal(text.now(), 'b');
    text.close();
  });

  it('is that of another document when the document changes', async () => {
    const [one, other] = [new SharedText('one'), new SharedText('other')];
    const text = follow(useText, one);
    text.again(other);
    assert.equal(text.now(), 'other');
    await settle(() => one.become('late'));
    assert.equal(text.now(), 'other');
    text.close();
  });
});

describe('the outline of a text', () => {
  it('stays the last one that could be read, and says what is wrong', () => {
    const read = follow(useRead, GOOD);
    assert.deepEqual(
      [read.now().pipeline.tasks.map(({ name }) => name), read.now().error],
      [['pull'], '']
    );
    read.again(`${GOOD}  fit: [`);
    assert.equal(read.now().pipeline.name, 'flights');
    assert.match(read.now().error, /not YAML in line [45]/);
    read.again('- a list');
    assert.equal(read.now().pipeline.name, 'flights');
    assert.match(read.now().error, /not a mapping/);
    read.again('name: other\n');
    assert.deepEqual([read.now().pipeline.name, read.now().error], ['other', '']);
    read.close();
  });

  it('is empty where nothing could be read yet', () => {
    const read = follow(useRead, 'a: *nobody');
    assert.deepEqual(read.now().pipeline.tasks, []);
    assert.match(read.now().error, /nobody/);
    read.close();
  });
});

describe('the picture', () => {
  it('loses what the text has no more, with its lines', () => {
    const graph = picture(['pull', 'fit', 'deploy'], ['pull>fit', 'fit>deploy', 'pull>deploy']);
    const ids = (tasks: string[]): string =>
      [
        ...(known(tasks)?.nodes ?? []).map(({ id }) => id),
        ...(known(tasks)?.edges ?? []).map(({ source, target }) => `${source}>${target}`)
      ].join(' ');
    const known = (tasks: string[]) => {
      const hook = follow(
        (given: string[]) => useKnown(graph, new Map(given.map(one => [one, null]))),
        tasks
      );
      hook.close();
      return hook.now();
    };
    assert.equal(ids(['pull', 'fit', 'deploy']), 'pull fit deploy pull>fit fit>deploy pull>deploy');
    assert.equal(ids(['pull', 'deploy', 'new']), 'pull deploy pull>deploy');
    assert.equal(ids([]), '');
    assert.equal(follow(() => useKnown(null, new Map()), null).now(), null);
  });
});

describe("the server's problems", () => {
  const text =
    'tasks:\n  pull:\n    notebook: pull.ipynb\n    when: x\n  fit:\n    notebook: fit.ipynb\n';
  const cases: [string, Parameters<typeof problem>, string][] = [
    ['with a line', ['odd', { line: 4 }], 'pull when odd'],
    ['with a line of the task', ['odd', { line: 5 }], 'fit  odd'],
    ['with a task and a line of its own', ['odd', { line: 4, task: 'pull' }], 'pull when odd'],
    ["with a task, at another task's line", ['odd', { line: 4, task: 'fit' }], 'fit  odd'],
    ['with a parameter', ['odd', { task: 'fit', parameter: 'n' }], 'fit parameters.n odd'],
    [
      'that name a parameter',
      ["no parameter 'n'", { task: 'fit' }],
      "fit parameters.n no parameter 'n'"
    ],
    ["of the pipeline's parameter", ["no parameter 'n'"], "  no parameter 'n'"],
    ['that begin with their task', ['fit: too slow', { task: 'fit' }], 'fit  too slow'],
    ['that begin with another task', ['pull: late', { task: 'fit' }], 'fit  pull: late'],
    ['beyond the end of the text', ['odd', { line: 999 }], '  odd'],
    ['at line 0', ['odd', { line: 0 }], '  odd']
  ];
  cases.forEach(([title, made, expected]) =>
    it(`${title} have their place`, () => {
      const [one] = placeAll(text, [problem(...made)]);
      assert.equal(`${one.task} ${one.key} ${one.message}`, expected);
    })
  );

  const weekly = `name: a
tasks:
  weekly: {notebook: a.ipynb}
schedules:
  weekly:
    cron: 61 * * * *
    parameters:
      week: x
    jitter: soon
  daily: {cron: "@daily", timezone: Mars, catch_up: often}
`;
  const ofSchedules: [line: number, message: string, expected: string][] = [
    [
      6,
      "schedule 'weekly': minute 61 is not within 0–59",
      ' schedules.weekly.cron minute 61 is not within 0–59'
    ],
    [
      7,
      "schedule 'weekly': parameter 'week': 'x' is no int",
      " schedules.weekly.parameters.week parameter 'week': 'x' is no int"
    ],
    [
      9,
      "`jitter`: 'soon' is no duration",
      " schedules.weekly.jitter `jitter`: 'soon' is no duration"
    ],
    [5, "schedule 'weekly' lacks `cron`", " schedules.weekly.cron schedule 'weekly' lacks `cron`"],
    [
      5,
      "schedule 'weekly': the pipeline lacks parameter 'rows'",
      " schedules.weekly.parameters.rows the pipeline lacks parameter 'rows'"
    ],
    [10, '`catch_up` must be text', ' schedules.daily.catch_up `catch_up` must be text'],
    [
      10,
      "schedule 'daily': there is no time zone 'Mars'",
      " schedules.daily there is no time zone 'Mars'"
    ]
  ];
  ofSchedules.forEach(([line, message, expected]) =>
    it(`of a schedule have their place: ${message}`, () => {
      const [one] = placeAll(weekly, [problem(message, { line, task: null })]);
      assert.equal(`${one.task} ${one.key} ${one.message}`, expected);
    })
  );

  it('keep their hint and severity, and their order', () => {
    const made = placeAll(text, [
      problem('b', { hint: 'do that', severity: 'warning' }),
      problem('a')
    ]);
    assert.deepEqual(
      made.map(({ message, hint, severity }) => [message, hint, severity]),
      [
        ['b', 'do that', 'warning'],
        ['a', '', 'error']
      ]
    );
  });

  it('are counted for each task that there is', () => {
    const found = grouped(
      [
        placed('a', { task: 'pull' }),
        placed('b', { task: 'pull', severity: 'warning' }),
        placed('c', { task: 'gone' }),
        placed('d'),
        placed('e', { task: 'fit', severity: undefined })
      ],
      new Map([
        ['pull', 1],
        ['fit', 1]
      ])
    );
    assert.deepEqual(
      [...found],
      [
        [
          'pull',
          [
            { message: 'a', severity: 'error' },
            { message: 'b', severity: 'warning' }
          ]
        ],
        ['fit', [{ message: 'e', severity: 'error' }]]
      ]
    );
  });
});
