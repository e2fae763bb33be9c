import {
  all,
  around,
  button,
  click,
  field,
  fill,
  hasButton,
  key,
  labels,
  offered,
  one,
  options,
  show,
  type,
  valueOf
} from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { outline } from '../outline';
import { type ITaskForm, TaskForm } from '../taskForm';
import { Edited, never, parameter, placed, trans } from './builders';
import { FLIGHTS } from './texts';

/** The form of a task, as the editor shows it again after each change of the text. */
function form(name: string, changes: Partial<ITaskForm> = {}, text = FLIGHTS) {
  const edited = new Edited(text);
  const make = () => {
    const pipeline = outline(edited.text);
    return (
      <TaskForm
        pipeline={pipeline}
        task={pipeline.tasks.find(task => task.name === name)!}
        parameters={[]}
        problems={[]}
        isReadOnly={false}
        trans={trans}
        edit={change => {
          const isFine = edited.edit(change);
          shown.again(make());
          return isFine;
        }}
        onRename={never('a name')}
        onRemove={never('removing')}
        onOpen={never('the notebook')}
        {...changes}
      />
    );
  };
  const shown = show(make());
  return { ...shown, edited, of: (label: string) => field(shown.root, label) };
}

const settings = (text: string, name: string) =>
  outline(text).tasks.find(task => task.name === name)!.settings;

/** A small pipeline of one task with these lines. */
const small = (...lines: string[]): string =>
  ['tasks:', '  fit:', '    notebook: fit.ipynb', ...lines.map(line => `    ${line}`), ''].join(
    '\n'
  );

describe('the head of a task', () => {
  it('opens the notebook, removes and renames', () => {
    const done: string[] = [];
    const { root, of } = form('pull', {
      onOpen: () => done.push('open'),
      onRemove: () => done.push('remove'),
      onRename: to => done.push(`rename ${to}`)
    });
    click(button(root, 'Open'));
    click(button(root, 'Remove'));
    fill(of('Name'), 'load');
    assert.deepEqual(done, ['open', 'remove', 'rename load']);
  });

  it('has nothing to open without a notebook', () => {
    const { root } = form('fit', {}, 'tasks:\n  fit: {needs: []}\n');
    assert.ok(button(root, 'Open').disabled);
  });

  it('shows a name of any length and signs as text', () => {
    const name = `a${'b'.repeat(300)}<img>`;
    const { root } = form(name, {}, `tasks:\n  "${name}": {notebook: x.ipynb}\n`);
    assert.equal(one(root, 'h3').textContent, name);
    assert.equal(one(root, 'h3').getAttribute('title'), name);
    assert.deepEqual(all(root, 'img'), []);
  });
});

describe('a setting of a task', () => {
  const cases: [label: string, typed: string, key: string, value: unknown][] = [
    ['Notebook', 'other/fit.ipynb', 'notebook', 'other/fit.ipynb'],
    ['Description', 'Learns', 'description', 'Learns'],
    ['Only when', 'params.week > 3', 'when', 'params.week > 3'],
    ['Tasks before must', 'all_done', 'run_if', 'all_done'],
    ['Retries', '3', 'retries', 3],
    ['Time limit', '5m', 'timeout', '5m'],
    ['Time limit', '90', 'timeout', 90],
    ['Cache', 'false', 'cache', false],
    ['Cache', 'true', 'cache', true],
    ['Matrix', '{model: [a, b], n: [1, 2]}', 'matrix', { model: ['a', 'b'], n: [1, 2] }],
    ['Map over', '${tasks.pull.results.airports}', 'map', '${tasks.pull.results.airports}'],
    ['Map over', '[1, 2]', 'map', [1, 2]],
    ['Cores', '2', 'resources', { cpu: 2 }],
    ['Memory', '4Gi', 'resources', { memory: '4Gi' }],
    ['GPUs', '1', 'resources', { gpu: 1 }],
    ['Kind of GPU', 'a100', 'resources', { accelerator: 'a100' }],
    ['Image', 'team/train:2', 'resources', { image: 'team/train:2' }],
    ['Spot', 'true', 'resources', { spot: true }],
    ['Spot', 'false', 'resources', { spot: false }]
  ];
  cases.forEach(([label, text, name, value]) =>
    it(`${label}: ${text}`, () => {
      const { of, edited } = form('fit', {}, small());
      const control = of(label);
      if (control.localName === 'select') {
        type(control, text);
      } else {
        fill(control, text);
      }
      assert.deepEqual(settings(edited.text, 'fit')[name], value);
      assert.equal(valueOf(of(label)), text);
    })
  );

  it('goes when its field is emptied, with what holds it', () => {
    const before = small(
      'when: params.x > 1',
      'retries: {limit: 2, delay: 3s}',
      'timeout: 5m',
      'cache: false',
      'resources: {cpu: 2}',
      'run_if: all_done'
    );
    const { of, edited } = form('fit', {}, before);
    fill(of('Only when'), '  ');
    fill(of('Retries'), '');
    fill(of('Time limit'), '');
    fill(of('Cores'), '');
    type(of('Cache'), '');
    type(of('Tasks before must'), '');
    assert.equal(edited.text, small());
  });

  it('may be the only one: the task stays without it', () => {
    const { of, edited } = form('fit', {}, small());
    fill(of('Notebook'), '');
    assert.equal(edited.text, 'tasks:\n  fit: {}\n');
    fill(of('Notebook'), 'fit.ipynb');
    assert.equal(edited.text, small());
  });

  it('keeps the spaces of a condition out of the text', () => {
    const { of, edited } = form('fit', {}, small());
    fill(of('Only when'), '  params.x > 1 ');
    assert.equal(settings(edited.text, 'fit').when, 'params.x > 1');
  });

  it('of retries keeps both of its forms', () => {
    const { of, edited } = form('fit', {}, small('retries: 2'));
    assert.equal(valueOf(of('Retries')), '2');
    assert.equal(valueOf(of('Delay')), '');
    fill(of('Delay'), '5s');
    assert.deepEqual(settings(edited.text, 'fit').retries, { limit: 2, delay: '5s' });
    fill(of('Retries'), '0');
    assert.deepEqual(settings(edited.text, 'fit').retries, { limit: 0, delay: '5s' });
    fill(of('Delay'), '');
    assert.deepEqual(settings(edited.text, 'fit').retries, { limit: 0 });
  });

  it('shows what is usual in this pipeline as an example', () => {
    const text = `defaults: {timeout: 9m, retries: {limit: 4, delay: 7s}, resources: {cpu: 8, memory: 2Gi}}\n${small()}`;
    const { of } = form('fit', {}, text);
    const examples = ['Time limit', 'Retries', 'Delay', 'Cores', 'Memory', 'GPUs'].map(label =>
      of(label).getAttribute('placeholder')
    );
    assert.deepEqual(examples, ['9m', '4', '7s', '8', '2Gi', '0']);
    const plain = form('fit', {}, small());
    assert.equal(plain.of('Time limit').getAttribute('placeholder'), 'none');
    assert.equal(plain.of('Retries').getAttribute('placeholder'), '0');
    assert.equal(
      form('fit', {}, `defaults: {retries: 3}\n${small()}`)
        .of('Retries')
        .getAttribute('placeholder'),
      '3'
    );
  });

  it('that was written in another way is shown as it is written', () => {
    const { of } = form(
      'fit',
      {},
      small('when: 3', 'run_if: some_day', 'cache: "${params.c}"', 'timeout: "5"')
    );
    assert.equal(valueOf(of('Only when')), '3');
    assert.equal(valueOf(of('Tasks before must')), 'some_day');
    assert.equal(valueOf(of('Cache')), '${params.c}');
    assert.equal(valueOf(of('Time limit')), '"5"');
  });

  it('has words for each rule of what must be before', () => {
    assert.deepEqual(options(form('fit', {}, small()).of('Tasks before must')), [
      'all have succeeded',
      'all have ended, however',
      'none has failed',
      'at least one has succeeded',
      'all have failed',
      'at least one has failed'
    ]);
  });
});

describe('the arguments of a task', () => {
  const WEEK = parameter('week', { default_text: '20', help: 'which week' });
  const TITLE = parameter('title', { type: 'str', is_required: true });

  it('are given by what is typed, by its type', () => {
    const { of, edited } = form('fit', { parameters: [WEEK, TITLE] }, small());
    fill(of('week'), '21');
    fill(of('title'), '007 # x');
    assert.deepEqual(settings(edited.text, 'fit').parameters, { week: 21, title: '007 # x' });
    fill(of('week'), '');
    fill(of('title'), ' ');
    assert.equal(edited.text, small());
  });

  it('say what is usual, and what must be given', () => {
    const { of } = form('fit', { parameters: [WEEK, TITLE] }, small());
    assert.equal(of('week').getAttribute('placeholder'), '20');
    assert.match(around(of('week')).textContent, /^weekint.*which week$/);
    assert.equal(of('title').getAttribute('placeholder'), 'required');
    assert.match(around(of('title')).textContent, /^titlestr \*/);
    const given = form('fit', { parameters: [TITLE] }, small('parameters: {title: a}'));
    assert.doesNotMatch(around(given.of('title')).textContent, /\*/);
  });

  it('can be taken back', () => {
    const { root, edited } = form(
      'fit',
      { parameters: [WEEK, TITLE] },
      small('parameters: {week: 3, other: 4}')
    );
    assert.ok(!hasButton(root, 'Do not give title'));
    click(button(root, 'Do not give week'));
    assert.deepEqual(settings(edited.text, 'fit').parameters, { other: 4 });
    click(button(root, 'Do not give other'));
    assert.equal(edited.text, small());
  });

  it('are offered references of tasks that do not come after', () => {
    const { root, of } = form('compare');
    const references = offered(root, of('scores'));
    ['${params.week}', '${tasks.pull.artifacts.flights}', '${run.id}'].forEach(reference =>
      assert.ok(references.includes(reference), reference)
    );
    assert.ok(!references.some(reference => reference.includes('tasks.compare')));
  });

  it('may have names that nobody declared, where the notebook is not known', () => {
    const { of, edited } = form('fit', {}, small());
    fill(of('Another parameter'), 'rows');
    assert.deepEqual(settings(edited.text, 'fit').parameters, { rows: '' });
    assert.equal(valueOf(of('Another parameter')), '');
  });

  it('are not emptied by a name that is given already', () => {
    const { of, edited } = form('fit', {}, small('parameters: {rows: 3}'));
    fill(of('Another parameter'), 'rows');
    assert.deepEqual(settings(edited.text, 'fit').parameters, { rows: 3 });
  });

  it('need names that Python takes', () => {
    for (const name of ['1st', 'a b', 'a-b', 'a.b', '${x}', 'ü', ' ']) {
      const { of, edited } = form('fit', {}, small());
      fill(of('Another parameter'), name);
      assert.equal(edited.text, small(), name);
    }
  });

  it('are not added where the notebook says what it takes', () => {
    assert.ok(
      !labels(form('fit', { parameters: [WEEK] }, small()).root).includes('Another parameter')
    );
  });
});

describe('the tasks before', () => {
  const rows = (root: ReturnType<typeof form>['root']) =>
    all(one(root, '.jp-mlops-TaskForm-before'), 'li').map(row =>
      row.childNodes.slice(0, 2).map(({ textContent }) => textContent)
    );

  it('are told with the reasons', () => {
    assert.deepEqual(rows(form('deploy').root), [
      ['compare', 'model, when'],
      ['pull', 'when']
    ]);
    assert.deepEqual(rows(form('pull').root), []);
  });

  it('can be disconnected', () => {
    const { root, edited } = form('compare');
    click(button(root, 'Disconnect from pull'));
    assert.deepEqual(settings(edited.text, 'compare').needs, ['features']);
    assert.deepEqual(
      rows(root).map(([name]) => name),
      ['train', 'features']
    );
  });

  it('are offered no more where all others come before or after', () => {
    assert.throws(() => form('features').of('Another task to wait for'), /no field/);
  });

  it('are connected by picking one', () => {
    const { of, edited } = form('deploy');
    assert.deepEqual(options(of('Another task to wait for')), [
      'wait for another task …',
      'features',
      'train'
    ]);
    type(of('Another task to wait for'), 'train');
    assert.equal(settings(edited.text, 'deploy').needs, 'train');
  });
});

describe('problems of a task', () => {
  it('open the part that has them, and stand at their field', () => {
    const cases: [key: string, label: string, part: string][] = [
      ['notebook', 'Notebook', ''],
      ['when', 'Only when', 'Condition'],
      ['resources.memory', 'Memory', 'Resources'],
      ['retries.limit', 'Retries', 'Attempts, time and cache'],
      ['timeout', 'Time limit', 'Attempts, time and cache'],
      ['matrix.model', 'Matrix', 'Many at once'],
      ['map', 'Map over', 'Many at once']
    ];
    for (const [key_, label, part] of cases) {
      const { of } = form('fit', { problems: [placed('is odd', { key: key_ })] }, small());
      assert.match(around(of(label)).textContent, /is odd/, key_);
      const fold = of(label).closest('details');
      assert.equal(fold?.children[0].textContent ?? '', part);
      assert.ok(!fold || fold.hasAttribute('open'), part);
    }
  });

  it('without a field of their own stand above, with their hints', () => {
    const { root } = form(
      'fit',
      {
        problems: [
          placed('no such kernel', { key: 'kernel', hint: 'install it' }),
          placed('slow', { key: '', severity: 'warning' }),
          placed('too many', { key: 'parameters' })
        ]
      },
      small()
    );
    assert.deepEqual(
      all(all(root, 'ul')[0], 'li').map(({ textContent }) => textContent),
      ['✘no such kernelinstall it', '▲slow', '✘too many']
    );
  });

  it('of an argument stand at it, also deep within', () => {
    const problems = [
      placed('odd', { key: 'parameters.week' }),
      placed('deep', { key: 'parameters.week.a' }),
      placed('other', { key: 'parameters.weeks' })
    ];
    const parameters = [parameter('week'), parameter('weeks')];
    const { of } = form('fit', { problems, parameters }, small());
    assert.match(around(of('week')).textContent, /odddeep$/);
    assert.match(around(of('weeks')).textContent, /other$/);
  });
});

describe('a task that may not be changed', () => {
  it('shows everything and lets nothing be done but opening its notebook', () => {
    const { root } = form('deploy', { isReadOnly: true, parameters: [parameter('model')] });
    const controls = all(root, 'input, select, textarea');
    assert.ok(controls.length > 10);
    assert.ok(controls.every(({ disabled }) => disabled));
    assert.deepEqual(
      all(root, 'button').map(({ textContent }) => textContent),
      ['Open']
    );
    assert.ok(!key(controls[0], 'Delete').defaultPrevented);
  });
});
