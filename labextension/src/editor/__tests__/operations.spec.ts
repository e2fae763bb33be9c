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
import { connections, outline, reach } from '../outline';
import { EditError } from '../places';
import { plain } from '../source';
import { FLIGHTS, generate, random } from './texts';

/** The lines that a change took away (-) and brought (+). */
function difference(before: string, after: string): string[] {
  const count = (lines: string[]): Map<string, number> => {
    const found = new Map<string, number>();
    lines.forEach(line => found.set(line, (found.get(line) ?? 0) + 1));
    return found;
  };
  const [old, made] = [count(before.split('\n')), count(after.split('\n'))];
  const gone = [...old]
    .filter(([line, n]) => n > (made.get(line) ?? 0))
    .map(([line]) => `-${line}`);
  const come = [...made]
    .filter(([line, n]) => n > (old.get(line) ?? 0))
    .map(([line]) => `+${line}`);
  return [...gone, ...come].filter(line => line.trim().length > 1);
}

describe('tasks', () => {
  it('are added at the end, apart where the others stand apart', () => {
    const made = addTask(FLIGHTS, 'report', 'notebooks/report.ipynb');
    assert.deepEqual(difference(FLIGHTS, made), [
      '+  report:',
      '+    notebook: notebooks/report.ipynb'
    ]);
    assert.match(
      made,
      /best}"}\n\n {2}report:\n {4}notebook: notebooks\/report.ipynb\n {2}# the end\n$/
    );
  });

  it('are added to a file that has none', () => {
    assert.equal(
      addTask('name: a\n', 'x', 'x.ipynb'),
      'name: a\ntasks:\n  x:\n    notebook: x.ipynb\n'
    );
    assert.equal(
      addTask('name: a\ntasks: {}\n', 'x', 'x.ipynb'),
      'name: a\ntasks:\n  x:\n    notebook: x.ipynb\n'
    );
    assert.equal(
      addTask('tasks:   # none\nname: a', 'x', 'x.ipynb'),
      'tasks:   # none\n  x:\n    notebook: x.ipynb\nname: a'
    );
    assert.equal(addTask('', 'x', 'x.ipynb'), 'tasks:\n  x:\n    notebook: x.ipynb\n');
    assert.equal(
      addTask('{"tasks": {"a": {"notebook": "a.ipynb"}}}', 'x', 'x.ipynb'),
      '{"tasks": {"a": {"notebook": "a.ipynb"}, x: {notebook: x.ipynb}}}'
    );
  });

  it('have names that are free', () => {
    const pipeline = outline(FLIGHTS);
    assert.equal(freeName(pipeline, 'deep/pull.ipynb'), 'pull_2');
    assert.equal(freeName(pipeline, 'Über 9 Wochen.ipynb'), 'ber_9_Wochen');
    assert.equal(freeName(pipeline, '01.ipynb'), 'task');
    assert.throws(() => addTask(FLIGHTS, 'pull', 'x.ipynb'), /already/);
    assert.throws(() => addTask(FLIGHTS, '1st', 'x.ipynb'), EditError);
  });

  it('are removed with their comments, and nobody refers to them any more', () => {
    const made = removeTask(FLIGHTS, 'features');
    assert.ok(!made.includes('features'), made);
    assert.ok(made.includes('# a database may be away') && made.includes('# which one'));
    assert.deepEqual(
      outline(made).tasks.map(task => task.name),
      ['pull', 'train', 'compare', 'deploy']
    );
    const none = ['pull', 'train', 'compare', 'deploy'].reduce(removeTask, made);
    assert.deepEqual(plain(none).tasks, {});
    assert.ok(none.startsWith('# yaml-language-server'));
    assert.ok(none.includes('tasks: {}'));
  });

  it('are renamed, and references follow', () => {
    const made = renameTask(FLIGHTS, 'pull', 'get-rows');
    assert.equal(FLIGHTS.split('\n').length, made.split('\n').length);
    assert.ok(made.includes('"${tasks.get-rows.artifacts.flights}"'));
    assert.ok(made.includes("'Week ${tasks.get-rows.results.week} and $${tasks.pull.x}'"));
    assert.ok(made.includes('needs: [get-rows, features]'));
    assert.ok(made.includes('      - get-rows   # for its log'));
    assert.ok(made.includes("and ${tasks.get-rows.state} != 'tasks.pull.state'"));
    assert.ok(made.includes('notebook: pull.ipynb'));
    assert.equal(renameTask(made, 'get-rows', 'pull'), FLIGHTS);
  });
});

describe('settings', () => {
  it('replace only what they are', () => {
    const made = setArgument(FLIGHTS, 'pull', 'week', 21);
    assert.deepEqual(difference(FLIGHTS, made), [
      '-      week: ${params.week}   # a number',
      '+      week: 21   # a number'
    ]);
  });

  it('are added in the style around them', () => {
    assert.ok(
      setArgument(FLIGHTS, 'pull', 'n', [1, 'a, b']).includes(
        '      code: 007\n      n: [1, "a, b"]\n'
      )
    );
    assert.ok(
      setArgument(FLIGHTS, 'deploy', 'at', '${run.id}').includes('best}", at: "${run.id}"}')
    );
    assert.ok(
      setSetting(FLIGHTS, 'compare', ['resources', 'cpu'], 2).includes(
        'auc}\n    resources:\n      cpu: 2\n'
      )
    );
    assert.ok(
      setSetting(FLIGHTS, 'pull', ['cache'], false).includes(
        '# a database may be away\n    cache: false\n\n'
      )
    );
  });

  it('are taken away, and with the last of them their mapping', () => {
    const once = setArgument(FLIGHTS, 'pull', 'week', undefined);
    assert.ok(once.includes('    parameters:\n      code: 007\n'));
    const twice = setArgument(once, 'pull', 'code', undefined);
    assert.ok(twice.includes('    notebook: pull.ipynb\n    retries:'));
    assert.equal(setArgument(twice, 'pull', 'code', undefined), twice);
    assert.ok(
      setArgument(FLIGHTS, 'features', 'flights', undefined).includes('parameters: {"title": ')
    );
    assert.ok(!setSetting(FLIGHTS, 'train', ['description'], undefined).includes('Learns from'));
  });

  it('keep text text', () => {
    for (const value of [
      '007',
      'no',
      '1e3',
      '2024-01-01',
      '',
      ' a',
      'a: b',
      'a #b',
      '- x',
      '${x}',
      "it's",
      'a"b',
      'x\ny',
      '\\',
      'null',
      '1:30',
      '[',
      '\u0007',
      '\u2028'
    ]) {
      const made = setArgument(FLIGHTS, 'deploy', 'model', value);
      assert.equal(outline(made).tasks[4].parameters.model, value);
      const block = setArgument(FLIGHTS, 'pull', 'week', value);
      assert.equal(outline(block).tasks[0].parameters.week, value);
    }
  });

  it('know both forms of retries', () => {
    assert.ok(setRetries(FLIGHTS, 'pull', 'limit', 5).includes('{limit: 5, delay: 2s}'));
    assert.ok(setRetries(FLIGHTS, 'pull', 'delay', undefined).includes('retries: {limit: 3}'));
    const short = setRetries(FLIGHTS, 'train', 'limit', 2);
    assert.ok(short.includes('    retries: 2\n'));
    assert.deepEqual(outline(setRetries(short, 'train', 'delay', '5s')).tasks[2].settings.retries, {
      limit: 2,
      delay: '5s'
    });
    assert.equal(setRetries(short, 'train', 'limit', undefined), FLIGHTS);
  });
});

describe('edges', () => {
  it('are what refers to another task', () => {
    const pairs = connections(outline(FLIGHTS)).map(
      one => `${one.source}>${one.target}:${one.reasons.map(r => r.key).join()}`
    );
    assert.deepEqual(pairs, [
      'pull>features:parameters.flights,parameters.title',
      'features>train:parameters.features,needs',
      'pull>train:needs',
      'train>compare:parameters.scores',
      'pull>compare:needs',
      'features>compare:needs',
      'compare>deploy:parameters.model,when',
      'pull>deploy:when'
    ]);
  });

  it('are drawn as a reference, or as needs', () => {
    const given = { parameter: 'rows', reference: '${tasks.pull.artifacts.flights}' };
    assert.ok(
      connect(FLIGHTS, 'pull', 'train', given).includes(
        '      rows: ${tasks.pull.artifacts.flights}\n'
      )
    );
    assert.ok(connect(FLIGHTS, 'train', 'deploy').includes('best}"}\n    needs: train\n'));
    assert.ok(connect(FLIGHTS, 'train', 'compare').includes('      - features\n      - train\n'));
    const one = connect(FLIGHTS, 'features', 'deploy');
    assert.ok(connect(one, 'train', 'deploy').includes('    needs: [features, train]\n'));
    assert.equal(connect(FLIGHTS, 'pull', 'train'), FLIGHTS);
  });

  it('make no circle', () => {
    assert.throws(() => connect(FLIGHTS, 'deploy', 'pull'), /circle/);
    assert.throws(() => connect(FLIGHTS, 'pull', 'pull'), /circle/);
    assert.ok(reach(outline(FLIGHTS), 'pull').has('deploy'));
    assert.ok(!reach(outline(FLIGHTS), 'deploy').has('pull'));
  });

  it('go with all that made them', () => {
    const made = disconnect(FLIGHTS, 'pull', 'compare');
    assert.ok(made.includes('    needs:\n      - features\n'));
    const none = disconnect(made, 'features', 'compare');
    assert.ok(none.includes('    notebook: compare.ipynb\n    parameters:\n'));
    assert.ok(!disconnect(FLIGHTS, 'compare', 'deploy').includes('when'));
  });
});

describe('what only the text can change', () => {
  const shared =
    'name: a\ntasks:\n  x: &x\n    notebook: x.ipynb\n    parameters: {n: 1}\n  y:\n    <<: *x\n    needs: x\n  z: *x\n';

  it('is refused with the reason', () => {
    assert.throws(() => setArgument(shared, 'x', 'n', 2), /anchor/);
    assert.throws(() => setArgument(shared, 'y', 'n', undefined), /anchor/);
    assert.throws(() => setArgument(shared, 'z', 'n', 2), /anchor/);
    assert.throws(() => addTask('a: [', 'x', 'x.ipynb'), /line 1/);
    assert.throws(() => addTask('- a', 'x', 'x.ipynb'), /mapping/);
    assert.throws(() => addTask('a: 1\na: 2', 'x', 'x.ipynb'), /unique/);
  });

  it('leaves the rest editable', () => {
    assert.equal(
      setSetting(shared, 'y', ['cache'], false),
      shared.replace('    needs: x\n', '    needs: x\n    cache: false\n')
    );
    assert.ok(renameTask(shared, 'x', 'w').includes('    needs: w\n'));
  });
});

describe('any pipeline', () => {
  it('keeps every comment and every other line through any operations', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const { text, names, comments } = generate(seed);
      const pick = random(seed + 1000);
      let now = text;
      let last = names[0];
      const operations: (() => string)[] = [
        () => addTask(now, `new${seed}`, 'new.ipynb'),
        () => setArgument(now, last, 'added', ['${params.week}', 3, true, 'a, b'][pick(4)]),
        () => setSetting(now, last, ['resources', 'memory'], '2Gi'),
        () => setSetting(now, last, ['when'], "params.week > 3 and 'a' != 'b'"),
        () => connect(now, names[0], names[names.length - 1]),
        () =>
          connect(now, names[0], names[names.length - 1], {
            parameter: 'p',
            reference: `\${tasks.${names[0]}.results.x}`
          }),
        () => setRetries(now, last, 'limit', 3)
      ];
      for (let turn = 0; turn < 6; turn++) {
        last = names[pick(names.length)];
        const operation = operations[pick(operations.length)];
        try {
          const made = operation();
          for (const comment of comments) {
            assert.ok(made.includes(`# ${comment}`), `${comment} is lost:\n${made}`);
          }
          const lost = now.split('\n').filter(line => !made.includes(line.trimEnd()));
          assert.ok(
            lost.length <= 1,
            `more than one line changed: ${lost.join(' | ')}\n${now}\n---\n${made}`
          );
          assert.equal(made.includes('\r\n'), text.includes('\r\n'));
          assert.ok(!/[^\r]\n/.test(made) || !text.includes('\r\n'), 'mixed line ends');
          now = made;
        } catch (error) {
          assert.match(
            (error as Error).message,
            /circle|already/,
            `${operation.toString()} ${last}\n${now}\n${String(error)}`
          );
        }
      }
    }
  });

  it('comes back when a change is taken back', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { text, names } = generate(seed);
      const name = names[seed % names.length];
      assert.equal(
        renameTask(renameTask(text, name, 'other'), 'other', name),
        text,
        `rename ${name}\n${text}`
      );
      const added = setSetting(text, name, ['priority'], 3);
      assert.equal(
        setSetting(added, name, ['priority'], undefined).trimEnd(),
        text.trimEnd(),
        `setting ${seed}\n${added}`
      );
    }
  });

  it('loses a task and nothing else', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { text, names } = generate(seed);
      const name = names[seed % names.length];
      const made = outline(removeTask(text, name));
      assert.deepEqual(
        made.tasks.map(task => task.name),
        names.filter(one => one !== name)
      );
      assert.ok(!JSON.stringify(made.tasks).includes(`tasks.${name}.`));
    }
  });
});
