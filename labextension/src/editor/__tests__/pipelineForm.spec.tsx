import {
  all,
  button,
  click,
  field,
  fill,
  hasButton,
  one,
  options,
  show,
  type,
  valueOf
} from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { outline } from '../outline';
import { type IPipelineForm, PipelineForm } from '../pipelineForm';
import type { IContext } from '../../tokens';
import { Edited, never, placed, trans } from './builders';

const TEXT = `# who leaves late?
name: flights
parameters:
  week: {type: int, default: 20, help: the newest week}
  rate: 0.5
  models: [a, b]
  title: Über alles
  isFast: true
  extra: {default: {a: 1}}
  since: ~
tasks: {}
`;

/** The form, as the editor shows it again after each change of the text. */
function form(text = TEXT, changes: Partial<IPipelineForm> = {}) {
  const edited = new Edited(text);
  const make = () => (
    <PipelineForm
      onActivate={never('an active schedule')}
      context={never('the context') as unknown as IContext}
      pipeline={outline(edited.text)}
      problems={[]}
      isReadOnly={false}
      trans={trans}
      edit={change => {
        const isFine = edited.edit(change);
        shown.again(make());
        return isFine;
      }}
      {...changes}
    />
  );
  const shown = show(make());
  return {
    ...shown,
    edited,
    of: (label: string) => field(shown.root, label),
    parameters: () => outline(edited.text).parameters
  };
}

describe('the pipeline itself', () => {
  it('has a name and a description, which may go', () => {
    const { root, of, edited } = form('name: a\ntasks: {}\n');
    assert.equal(one(root, 'h3').textContent, 'a');
    fill(of('Name'), 'Abflüge');
    fill(of('Description'), 'two\nlines: yes');
    const made = outline(edited.text);
    assert.deepEqual([made.name, made.description], ['Abflüge', 'two\nlines: yes']);
    fill(of('Name'), '');
    fill(of('Description'), '  ');
    assert.equal(edited.text, 'tasks: {}\n');
    assert.equal(one(root, 'h3').textContent, 'Pipeline');
  });

  it('tells its problems with their hints, as text', () => {
    const { root } = form(TEXT, {
      problems: [placed('<b>odd</b>', { hint: 'do that' }), placed('slow', { severity: 'warning' })]
    });
    assert.deepEqual(
      all(one(root, '.jp-mlops-Problems'), 'li').map(({ textContent }) => textContent),
      ['✘<b>odd</b>do that', '▲slow']
    );
    assert.deepEqual(all(form().root, '.jp-mlops-Problems'), []);
  });
});

describe("the pipeline's parameters", () => {
  it('show their defaults and types, declared or not', () => {
    const { of, root } = form();
    const cases: [string, string, string][] = [
      ['week', '20', 'int'],
      ['rate', '0.5', 'float'],
      ['models', '[a, b]', 'list'],
      ['title', 'Über alles', 'str'],
      ['isFast', 'true', 'bool'],
      ['extra', '{a: 1}', 'any'],
      ['since', 'null', 'any']
    ];
    for (const [name, text, kind] of cases) {
      assert.equal(valueOf(of(name)), text, name);
      assert.equal(valueOf(of(`Type of ${name}`)), kind, name);
    }
    assert.match(root.textContent, /the newest week/);
    assert.equal(one(root, '.jp-mlops-count').textContent, '7');
  });

  it('change where they are written, and nothing else', () => {
    const { of, edited } = form();
    fill(of('week'), '21');
    fill(of('rate'), '1');
    fill(of('models'), '[c]');
    assert.equal(
      edited.text,
      TEXT.replace('default: 20', 'default: 21').replace('0.5', '1').replace('[a, b]', '[c]')
    );
  });

  it('that are text stay text', () => {
    const { of, parameters } = form();
    for (const text of ['20', 'true', 'null', '[a]', '"x"', '007', 'a: b']) {
      fill(of('title'), text);
      assert.equal(parameters().title, text);
    }
  });

  it('lose their default only where their type is declared', () => {
    const { of, parameters } = form();
    fill(of('week'), '');
    fill(of('rate'), '');
    assert.deepEqual(parameters().week, { type: 'int', help: 'the newest week' });
    assert.equal(parameters().rate, 0.5);
    assert.equal(of('week').getAttribute('placeholder'), 'no default: required');
  });

  it('get a declared type in the long form', () => {
    const { of, parameters } = form();
    type(of('Type of week'), 'float');
    type(of('Type of rate'), 'any');
    assert.deepEqual(parameters().week, { type: 'float', default: 20, help: 'the newest week' });
    assert.deepEqual(parameters().rate, { type: 'any', default: 0.5 });
    assert.deepEqual(options(of('Type of rate')), [
      'int',
      'float',
      'str',
      'bool',
      'list',
      'dict',
      'date',
      'datetime',
      'any'
    ]);
  });

  it('can be removed, the last one with its heading', () => {
    const { root, edited } = form('parameters:\n  a: 1\n  b: 2 # two\nname: x\n');
    click(button(root, 'Remove a'));
    assert.equal(edited.text, 'parameters:\n  b: 2 # two\nname: x\n');
    click(button(root, 'Remove b'));
    assert.deepEqual(outline(edited.text).parameters, {});
    assert.equal(outline(edited.text).name, 'x');
  });

  it('can be more', () => {
    const { of, parameters } = form('name: x\n');
    fill(of('Another parameter'), 'rows');
    assert.deepEqual(parameters(), { rows: { type: 'str', default: '' } });
    assert.equal(valueOf(of('Another parameter')), '');
    fill(of('rows'), 'many');
    assert.deepEqual(parameters(), { rows: { type: 'str', default: 'many' } });
  });

  it('need a name that is free and that Python takes; what was typed stays to be mended', () => {
    for (const name of ['week', '1st', 'a b', 'a-b', 'ü', '$']) {
      const { of, edited } = form();
      fill(of('Another parameter'), name);
      assert.equal(edited.text, TEXT, name);
      assert.equal(valueOf(of('Another parameter')), name);
    }
  });

  it('cannot be changed where nothing may', () => {
    const { root } = form(TEXT, { isReadOnly: true });
    assert.ok(all(root, 'input, textarea, select').every(({ disabled }) => disabled));
    assert.ok(!hasButton(root, 'Remove week'));
    assert.throws(() => field(root, 'Another parameter'), /no field/);
  });
});
