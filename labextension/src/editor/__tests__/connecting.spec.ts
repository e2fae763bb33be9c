import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { argumentRows, argumentValue, gives, offers } from '../arguments';
import { connect, disconnect, freeName, setRetries } from '../operations';
import { connections, needs, outline, reach } from '../outline';
import { relativeTo } from '../adding';
import { middle, reveal, thread } from '../geometry';
import { difference } from '../shared';
import { parameter } from './builders';

/** A pipeline of tasks with these settings. */
const pipeline = (tasks: Record<string, string>): string =>
  [
    'tasks:',
    ...Object.entries(tasks).map(([name, settings]) => `  ${name}: {${settings}}`),
    ''
  ].join('\n');

describe('what makes a task wait', () => {
  const cases: [title: string, settings: string, keys: string][] = [
    ['nothing', '', ''],
    ['the order', 'needs: a', 'needs'],
    ['the order, in a list', 'needs: [a]', 'needs'],
    ['an argument', 'parameters: {x: "${tasks.a.results.n}"}', 'parameters.x'],
    ['a part of an argument', 'parameters: {x: [1, {y: "n: ${tasks.a.state}"}]}', 'parameters.x'],
    ['a variable', 'env: {N: "${tasks.a.results.n}"}', 'env.N'],
    ['a list to map over', 'map: "${tasks.a.results.all}"', 'map'],
    ['a condition', 'when: "tasks.a.results.n > 1"', 'when'],
    ['all of them', 'needs: a, when: tasks.a.state, map: "${tasks.a.x}"', 'map,when,needs'],
    ['not a mention', 'description: "${tasks.a.x}", parameters: {x: "$${tasks.a.x}"}', ''],
    ['not somebody unknown', 'needs: [nobody], when: tasks.no.x', '']
  ];
  cases.forEach(([title, settings, keys]) => {
    const text = pipeline({ a: '', b: settings });
    it(`is ${title}`, () => {
      const found = connections(outline(text));
      assert.equal(found.flatMap(one => one.reasons.map(({ key }) => key)).join(), keys);
      assert.ok(found.every(({ source, target }) => source === 'a' && target === 'b'));
    });
    it(`is gone when it is cut: ${title}`, () => {
      const cut = disconnect(text, 'a', 'b');
      assert.deepEqual(connections(outline(cut)), []);
      assert.equal(disconnect(cut, 'a', 'b'), cut);
      assert.deepEqual(
        outline(cut).tasks.map(({ name }) => name),
        ['a', 'b']
      );
      if (keys === '') {
        assert.equal(cut, text);
      }
    });
  });

  it('leaves what others give when one is cut', () => {
    const text = pipeline({
      a: '',
      c: '',
      b: 'needs: [c, a], parameters: {x: "${tasks.a.x}", y: "${tasks.c.y}", z: 1}'
    });
    const { settings } = outline(disconnect(text, 'a', 'b')).tasks[2];
    assert.deepEqual(settings, { needs: ['c'], parameters: { y: '${tasks.c.y}', z: 1 } });
  });
});

describe('a new line', () => {
  const cases: [before: string, after: string[]][] = [
    ['', ['a']],
    ['needs: c', ['c', 'a']],
    ['needs: [c]', ['c', 'a']],
    ['needs: []', ['a']],
    ['needs: ', ['a']],
    ['needs: [a, c]', ['a', 'c']]
  ];
  cases.forEach(([before, after]) =>
    it(`goes into {${before}}`, () => {
      const made = connect(pipeline({ a: '', c: '', b: before }), 'a', 'b');
      assert.deepEqual(needs(outline(made).tasks[2]), after);
    })
  );

  it('may be a second one between the same two', () => {
    const given = { parameter: 'x', reference: '${tasks.a.results.x}' };
    const made = connect(pipeline({ a: '', b: 'needs: a' }), 'a', 'b', given);
    assert.deepEqual(
      connections(outline(made))[0].reasons.map(({ key }) => key),
      ['parameters.x', 'needs']
    );
  });

  it('closes no circle, however long', () => {
    const text = pipeline({ a: '', b: 'needs: a', c: 'when: tasks.b.x', d: 'map: "${tasks.c.x}"' });
    assert.deepEqual([...reach(outline(text), 'b')].sort(), ['b', 'c', 'd']);
    ['b', 'c', 'd'].forEach(name => assert.throws(() => connect(text, name, 'a'), /circle/));
    assert.deepEqual(needs(outline(connect(text, 'a', 'd')).tasks[3]), ['a']);
  });

  it('does not go round for ever where there is a circle already', () => {
    const circle = outline(pipeline({ a: 'needs: b', b: 'needs: a' }));
    assert.deepEqual([...reach(circle, 'a')].sort(), ['a', 'b']);
  });
});

describe('retries', () => {
  const cases: [before: string, key: 'limit' | 'delay', value: unknown, after: unknown][] = [
    ['', 'limit', 3, 3],
    ['', 'delay', '5s', { limit: 1, delay: '5s' }], // a delay alone would mean nothing
    ['', 'delay', undefined, undefined],
    ['', 'limit', undefined, undefined],
    ['retries: 3', 'limit', undefined, undefined],
    ['retries: 3', 'delay', '5s', { limit: 3, delay: '5s' }],
    ['retries: 3', 'delay', undefined, 3],
    ['retries: {limit: 3, delay: 5s}', 'limit', 4, { limit: 4, delay: '5s' }],
    ['retries: {limit: 3, delay: 5s}', 'delay', undefined, { limit: 3 }],
    ['retries: {limit: 3, delay: 5s}', 'limit', undefined, undefined]
  ];
  cases.forEach(([before, key, value, after]) =>
    it(`{${before}}, ${key}: ${String(value)}`, () => {
      const made = setRetries(pipeline({ a: before }), 'a', key, value);
      assert.deepEqual(outline(made).tasks[0].settings.retries, after);
    })
  );
});

describe('a free name', () => {
  const cases: [notebook: string, name: string][] = [
    ['pull.ipynb', 'pull_3'],
    ['deep/er/fit.ipynb', 'fit'],
    ['2024 Daten.ipynb', 'Daten'],
    ['a.b.c.ipynb', 'a_b_c'],
    ['.ipynb', 'task'],
    ['', 'task'],
    ['航班.ipynb', 'task'],
    ['no-ending', 'no-ending']
  ];
  const text = outline(pipeline({ pull: '', pull_2: '' }));
  cases.forEach(([notebook, name]) =>
    it(`for ${notebook || 'nothing'}`, () => assert.equal(freeName(text, notebook), name))
  );
});

describe('arguments', () => {
  const one = (settings: string) => outline(pipeline({ a: settings })).tasks[0];

  it('of a text show it without the quotes that others would need', () => {
    const task = one('parameters: {x: "20", y: "20", z: ~}');
    assert.deepEqual(
      argumentRows(task, [parameter('x', { type: 'str' })]).map(({ text }) => text),
      ['20', '"20"', 'null']
    );
    assert.deepEqual(argumentRows(one(''), []), []);
  });

  const typed: [text: string, type: string, value: unknown][] = [
    ['', 'int', undefined],
    ['  ', 'str', undefined],
    ['3', 'int', 3],
    ['3', 'str', '3'],
    ['true', 'str', 'true'],
    ['[1]', 'str', '[1]'],
    ["'a'", 'str', 'a'],
    ['"', 'str', '"'],
    [' a ', 'str', ' a '],
    ['${params.x}', 'str', '${params.x}'],
    ['many', 'int', 'many'], // the check tells
    ['0.1', 'float', 0.1],
    ['{a: 1}', 'dict', { a: 1 }],
    ['*x', 'int', '*x']
  ];
  typed.forEach(([text, type, value]) =>
    it(`${JSON.stringify(text)} for ${type}`, () =>
      assert.deepEqual(argumentValue(text, parameter('x', { type })), value))
  );

  it('are offered what fits the task', () => {
    const text = `parameters: {week: 1}\n${pipeline({
      a: '',
      b: 'parameters: {x: "${tasks.a.results.n}"}',
      c: 'map: [1], matrix: {m: [1]}, parameters: {x: "${tasks.b.artifacts.t}"}'
    })}`;
    assert.deepEqual(offers(outline(text), 'c'), [
      '${params.week}',
      '${matrix.m}',
      '${item}',
      '${tasks.a.results.n}',
      '${tasks.b.artifacts.t}',
      '${run.id}'
    ]);
    assert.deepEqual(offers(outline(text), 'a'), ['${params.week}', '${run.id}']);
    assert.deepEqual(offers(outline(''), 'nobody'), ['${run.id}']);
    assert.deepEqual(gives(outline(text), 'a'), ['${tasks.a.results.n}']);
    assert.deepEqual(gives(outline(text), 'c'), []);
  });
});

describe('numbers and paths', () => {
  it('a line bends by half of its way, and at least a little', () => {
    assert.equal(thread({ x: 0, y: 0 }, { x: 100, y: 50 }), 'M0 0C50 0 50 50 100 50');
    assert.equal(thread({ x: 0, y: 0 }, { x: 10, y: 0 }), 'M0 0C24 0 -14 0 10 0');
    assert.equal(thread({ x: 100, y: 0 }, { x: 0, y: 0 }), 'M100 0C150 0 -50 0 0 0');
  });

  it('what is larger than the canvas is shown from its beginning', () => {
    const canvas = { width: 100, height: 100 };
    const huge = { x: 0, y: 0, width: 500, height: 500 };
    assert.deepEqual(reveal({ scale: 1, x: -200, y: -200 }, huge, canvas), {
      scale: 1,
      x: 24,
      y: 24
    });
  });

  it('the middle of three points is the second', () => {
    assert.deepEqual(
      middle([
        [0, 0],
        [3, 7],
        [50, 50]
      ]),
      { x: 3, y: 7 }
    );
  });

  it('texts share their beginnings and ends, never the same letters twice', () => {
    const cases: [string, string, [number, number]][] = [
      ['', '', [0, 0]],
      ['abc', 'abc', [3, 0]],
      ['abc', '', [0, 0]],
      ['aaaa', 'aa', [2, 0]],
      ['abab', 'ab', [2, 0]],
      ['axb', 'ayb', [1, 1]],
      ['🛫a', '🛬a', [1, 1]]
    ];
    cases.forEach(([before, after, expected]) =>
      assert.deepEqual(difference(before, after), expected, `${before} ${after}`)
    );
  });

  it('paths go up as far as they must, and no farther than the file', () => {
    const cases: [string, string, string][] = [
      ['pipeline.yaml', 'a.ipynb', 'a.ipynb'],
      ['a/b/pipeline.yaml', 'a.ipynb', '../../a.ipynb'],
      ['a/pipeline.yaml', 'a/b/c.ipynb', 'b/c.ipynb'],
      ['a/pipeline.yaml', 'a', '../a'], // a file of the folder's name
      ['a/b/pipeline.yaml', 'a/bb/c.ipynb', '../bb/c.ipynb'],
      ['ü/pipeline.yaml', 'ü/航 班.ipynb', '航 班.ipynb']
    ];
    cases.forEach(([file, path, expected]) => assert.equal(relativeTo(file, path), expected));
  });
});
