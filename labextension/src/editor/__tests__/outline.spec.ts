import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { outline, place } from '../outline';
import { renameIn, tasksIn } from '../references';
import { inline, shown, typed } from '../scalars';
import { FLIGHTS } from './texts';

function lineOf(part: string): number {
  return FLIGHTS.slice(0, FLIGHTS.indexOf(part)).split('\n').length;
}

describe('problems', () => {
  it('stand where they are', () => {
    const lines = ['code: 007', 'matrix:', '- pull   #', '  deploy:', 'help: the', '"title"'].map(
      lineOf
    );
    const placed = place(
      FLIGHTS,
      lines.map(line => ({ message: "'title' is no parameter", line }))
    );
    assert.deepEqual(
      placed.map(one => `${one.task}/${one.key}`),
      [
        'pull/parameters.code',
        'train/matrix.model',
        'compare/needs',
        'deploy/',
        '/',
        'features/parameters.title'
      ]
    );
  });

  it('are found by name where they have no line', () => {
    assert.equal(place(FLIGHTS, [{ message: "task 'train': no such kernel" }])[0].task, 'train');
    assert.equal(place(FLIGHTS, [{ message: "task 'nobody' is missing", line: null }])[0].task, '');
    assert.equal(place('a: [', [{ message: 'not YAML', line: 1 }])[0].task, '');
  });
});

describe('an outline', () => {
  it('reads numbers with leading zeros as text, like the server', () => {
    assert.equal(outline(FLIGHTS).tasks[0].parameters.code, '007');
  });

  it('is calm about what is half written', () => {
    assert.deepEqual(
      outline('tasks:\n  a:\n  b: 3\n').tasks.map(task => task.notebook),
      ['', '']
    );
    assert.deepEqual(outline('').tasks, []);
  });
});

describe('references', () => {
  it('are found where the server finds them', () => {
    assert.deepEqual(
      tasksIn('${tasks.a.results.x} $${tasks.b.state} ${ tasks.c[m=1].state } ${params.tasks}'),
      ['a', 'c']
    );
    assert.deepEqual(
      tasksIn('tasks.a.state == "tasks.b.state" and my.tasks.c and ${tasks.d.state}', true),
      ['a', 'd']
    );
    assert.equal(
      renameIn('${tasks.ab.state} ${tasks.a.state}', 'a', 'b'),
      '${tasks.ab.state} ${tasks.b.state}'
    );
  });
});

describe('what is typed', () => {
  it('becomes a value, and back', () => {
    const pairs: [string, unknown][] = [
      ['20', 20],
      ['007', '007'],
      ['true', true],
      ['a b', 'a b'],
      ['[1, b]', [1, 'b']],
      ['{a: 1}', { a: 1 }],
      ['${params.week}', '${params.week}'],
      ['"20"', '20'],
      ['null', null],
      ['0.5', 0.5],
      ['# a', '# a'],
      ['a: [', 'a: [']
    ];
    for (const [text, value] of pairs) {
      assert.deepEqual(typed(text), value, text);
      assert.deepEqual(typed(shown(value)), value, text);
    }
    assert.equal(inline({ a: ['x', 1.5, null], 'b c': 'no' }), '{a: [x, 1.5, null], b c: "no"}');
  });
});
