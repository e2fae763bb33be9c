/** Half-written and odd texts: whatever they hold, the editor answers or says why not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  addTask,
  connect,
  disconnect,
  freeName,
  removeTask,
  renameTask,
  setArgument,
  setRetries,
  setSetting
} from '../operations';
import { connections, outline, place, reach } from '../outline';
import { EditError } from '../places';
import { plain } from '../source';
import { FLIGHTS, generate, random } from './texts';

/** What is done to any text: each by a gesture that people make. */
const GESTURES: Record<string, (text: string) => string> = {
  'a task more': text => addTask(text, freeName(outline(text), 'report.ipynb'), 'report.ipynb'),
  'a task less': text => removeTask(text, 'pull'),
  'another name': text => renameTask(text, 'pull', 'load'),
  'an argument': text => setArgument(text, 'pull', 'week', '${params.week}'),
  'an argument less': text => setArgument(text, 'pull', 'week', undefined),
  'a setting': text => setSetting(text, 'pull', ['resources', 'cpu'], 2),
  retries: text => setRetries(text, 'pull', 'delay', '5s'),
  'a line': text => connect(text, 'pull', 'train'),
  'a line less': text => disconnect(text, 'pull', 'train')
};

/** Makes a gesture: what comes is YAML, and what is refused has a reason for people. */
function attempt(name: string, text: string): string | null {
  try {
    const made = GESTURES[name](text);
    plain(made);
    return made;
  } catch (error) {
    assert.ok(error instanceof EditError, `${name}: ${String(error)}\n---\n${text}`);
    assert.match(error.message, /^\S.{8,}/);
    return null;
  }
}

const everything = (text: string): void => {
  Object.keys(GESTURES).forEach(name => attempt(name, text));
  place(text, [{ message: "task 'pull': odd", line: 3 }]);
};

describe('a text that is being written', () => {
  it('is taken at any moment', () => {
    const lines = FLIGHTS.split('\n');
    lines.forEach((_, i) => everything(lines.slice(0, i).join('\n')));
    for (let end = 0; end < FLIGHTS.length; end += 31) {
      everything(FLIGHTS.slice(0, end));
    }
  });

  it('may have a slip anywhere', () => {
    const signs = [
      '',
      ' ',
      '\n',
      '\t',
      ':',
      '[',
      '}',
      "'",
      '"',
      '#',
      '*',
      '&',
      '-',
      '|',
      '!',
      '\u0000'
    ];
    const pick = random(7);
    for (let times = 0; times < 100; times++) {
      const place_ = pick(FLIGHTS.length);
      everything(
        FLIGHTS.slice(0, place_) + signs[pick(signs.length)] + FLIGHTS.slice(place_ + pick(2))
      );
    }
  });

  it('may have any style', () => {
    for (let seed = 500; seed < 520; seed++) {
      everything(generate(seed).text);
    }
  });
});

describe('odd shapes', () => {
  const shapes: Record<string, string> = {
    'tasks that are a list': 'tasks: [pull, train]\n',
    'tasks that are a text': 'tasks: pull\n',
    'a task that is a text': 'tasks:\n  pull: pull.ipynb\n  train: train.ipynb\n',
    'a task that is a list': 'tasks:\n  pull: [a]\n  train: {}\n',
    'a task that is null': 'tasks:\n  pull:\n  train: ~\n',
    'parameters that are a list': 'tasks:\n  pull: {parameters: [a]}\n  train: {}\n',
    'needs that are a mapping': 'tasks:\n  pull: {}\n  train: {needs: {pull: 1}}\n',
    'needs of numbers': 'tasks:\n  pull: {}\n  train: {needs: [1, pull, ~]}\n',
    'keys that are numbers': 'tasks:\n  1: {notebook: a.ipynb}\n  pull: {}\n  train: {}\n',
    'keys that are lists': 'tasks:\n  ? [a, b]\n  : 1\n  pull: {}\n  train: {}\n',
    'an alias of itself': 'tasks: &t\n  pull: *t\n  train: {}\n',
    'a merge of nothing': 'tasks:\n  pull: {<<: 3}\n  train: {}\n',
    'keys in quotes': '"tasks":\n  "pull": {"notebook": "a.ipynb"}\n  \'train\': {}\n',
    JSON: '{"tasks": {"pull": {"notebook": "a.ipynb"}, "train": {}}}',
    'two documents': 'tasks: {pull: {}, train: {}}\n---\ntasks: {}\n',
    'a directive': '%YAML 1.1\n---\ntasks:\n  pull: {}\n  train: {}\n',
    'an end': 'tasks:\n  pull: {}\n  train: {}\n...\n',
    tags: 'tasks: !!map\n  pull: !mine {notebook: !!str a}\n  train: {}\n',
    'a byte order mark': '\ufefftasks:\n  pull: {}\n  train: {}\n',
    'tabs behind values': 'tasks:\t\n  pull: {}\t\n  train: {}\t# x\n',
    'old line ends': 'tasks:\r\n  pull: {}\r\n  train: {}\r\n',
    'a mapping in one line over many': 'tasks: {pull: {\n  notebook: a.ipynb,\n}, train: {}}\n'
  };
  for (const [title, text] of Object.entries(shapes)) {
    it(title, () => everything(text));
  }
});

describe('a reason', () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      'of a task that is not there',
      () => setSetting(FLIGHTS, 'nobody', ['when'], 'x'),
      /There is no task nobody/
    ],
    [
      'of a rename from nowhere',
      () => renameTask(FLIGHTS, 'nobody', 'a'),
      /There is no task nobody/
    ],
    ['of a removal of nothing', () => removeTask(FLIGHTS, 'nobody'), /There is no task nobody/],
    ['of a line from nowhere', () => connect(FLIGHTS, 'nobody', 'pull'), /There is no task nobody/],
    ['of a line to nowhere', () => connect(FLIGHTS, 'pull', 'nobody'), /There is no task nobody/],
    [
      'of a taken name',
      () => renameTask(FLIGHTS, 'pull', 'train'),
      /There is a task train already/
    ],
    ['of a wrong name', () => renameTask(FLIGHTS, 'pull', 'a b'), /begins with a letter/],
    ['of a line to itself', () => connect(FLIGHTS, 'pull', 'pull'), /cannot wait for itself/],
    [
      'of a circle',
      () => connect(FLIGHTS, 'deploy', 'features'),
      /deploy waits for features already/
    ]
  ];
  cases.forEach(([title, change, expected]) =>
    it(title, () => {
      assert.throws(change, expected);
      assert.throws(change, EditError);
    })
  );
});

describe('a large pipeline', () => {
  const count = 400;
  const text = [
    'tasks:',
    ...Array.from({ length: count }, (_, i) =>
      [`  t${i}:`, `    notebook: t${i}.ipynb`, ...(i ? [`    needs: t${i - 1}`] : [])].join('\n')
    ),
    ''
  ].join('\n');

  it('is read, followed from end to end, and changed in one place', () => {
    const pipeline = outline(text);
    assert.equal(connections(pipeline).length, count - 1);
    assert.equal(reach(pipeline, 't0').size, count);
    assert.equal(reach(pipeline, `t${count - 1}`).size, 1);
    const made = setSetting(text, 't200', ['cache'], false);
    assert.equal(made.length, text.length + '    cache: false\n'.length);
    assert.throws(() => connect(text, `t${count - 1}`, 't0'), /circle/);
  });
});
