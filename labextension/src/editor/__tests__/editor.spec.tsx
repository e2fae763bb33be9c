import type { Tag } from './dom';
import {
  all,
  around,
  button,
  click,
  field,
  fill,
  happen,
  hasButton,
  key,
  one,
  settle,
  show,
  type,
  valueOf
} from './page';

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import type { Problem } from '../../types';
import type { IContext } from '../../tokens';
import { Editor, type IEditor } from '../editor';
import { outline } from '../outline';
import { answer, never, parameter, picture, problem, Server, SharedText, trans } from './builders';
import { FLIGHTS } from './texts';

const NAMES = ['pull', 'features', 'train', 'compare', 'deploy'];
const PAIRS = ['pull>features', 'features>train', 'train>compare', 'compare>deploy'];

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** The editor of a text, which the server has checked. */
async function editor(text = FLIGHTS, problems: Problem[] = [], changes: Partial<IEditor> = {}) {
  const shared = new SharedText(text);
  const server = new Server();
  const opened: string[] = [];
  let drop: (paths: string[]) => void = never('a drop');
  const context = {
    api: server.api,
    trans,
    openFile: (path: string) => opened.push(path)
  } as unknown as IContext;
  const { root, close } = show(
    <Editor
      context={context}
      shared={shared}
      path="flights/pipeline.yaml"
      isReadOnly={false}
      dropped={{
        connect: slot => {
          drop = slot;
          return () => (drop = never('a drop'));
        }
      }}
      onAdd={() => opened.push('a dialog')}
      onOpenText={() => opened.push('the text')}
      onRun={() => opened.push('the form of a run')}
      onActivate={never('an active schedule')}
      {...changes}
    />
  );
  const checkedAs = async (made: ReturnType<typeof answer>): Promise<void> => {
    await settle(() => mock.timers.tick(120));
    await settle(() => server.last.say(made));
  };
  server.takes = { 'flights/pull.ipynb': [parameter('week'), parameter('limit')] };
  await checkedAs(answer(picture(NAMES, PAIRS), problems));
  return {
    root,
    close,
    shared,
    server,
    opened,
    checkedAs,
    title: () => one(one(root, '.jp-mlops-Editor-side'), 'h3').textContent,
    card: (name: string): Tag =>
      all(root, '.jp-mlops-Card').find(
        one_ => one(one_, '.jp-mlops-Card-name').textContent === name
      )!,
    cards: () => all(root, '.jp-mlops-Card-name').map(({ textContent }) => textContent),
    complaint: () => all(root, '.jp-mlops-Editor-complaint').map(({ textContent }) => textContent),
    tasks: () => outline(shared.getSource()).tasks.map(({ name }) => name),
    drop: (paths: string[]) => settle(() => drop(paths))
  };
}
type Opened = Awaited<ReturnType<typeof editor>>;

const pick = ({ card }: Opened, name: string): Promise<void> =>
  settle(() => key(card(name), 'Enter'));

/** Draws a line from one task to another: 160 lie between two, and 800 are as wide as the canvas. */
async function draw(made: Opened, from: string, to: string): Promise<void> {
  const area = one(made.root, '.jp-mlops-Canvas');
  const [, x, y, scale] = /translate\(([\d.]+)px, ([\d.]+)px\) scale\(([\d.]+)\)/.exec(
    String(one(made.root, '.jp-mlops-Canvas-world').style.transform)
  )!;
  const at = (name: string) => ({
    button: 0,
    pointerId: 1,
    clientX: 10 + Number(x) + Number(scale) * (160 * NAMES.indexOf(name) + 50),
    clientY: 20 + Number(y) + Number(scale) * 20
  });
  happen(one(made.card(from), '.jp-mlops-Card-port'), 'pointerdown', at(from));
  happen(area, 'pointermove', at(to));
  happen(area, 'pointerup', at(to));
  await settle();
}

describe('the editor', () => {
  it('asks the server about the text, and shows its picture beside the form of the pipeline', async () => {
    const made = await editor();
    assert.deepEqual(
      made.server.asked.map(({ path, text }) => [path, text]),
      [['flights/pipeline.yaml', FLIGHTS]]
    );
    assert.deepEqual(made.cards(), NAMES);
    assert.equal(made.title(), 'flights');
    assert.deepEqual(made.complaint(), []);
    made.close();
  });

  it('shows the form of the task that is picked, with what its notebook takes', async () => {
    const made = await editor();
    await pick(made, 'pull');
    assert.equal(made.title(), 'pull');
    assert.deepEqual(made.server.notebooks, ['flights/pull.ipynb']);
    assert.equal(valueOf(field(made.root, 'week')), '${params.week}');
    assert.equal(valueOf(field(made.root, 'limit')), '');
    key(one(made.root, '.jp-mlops-Canvas'), 'Escape');
    assert.equal(made.title(), 'flights');
    made.close();
  });

  it('puts what a field says into the text, and nothing else', async () => {
    const made = await editor();
    await pick(made, 'pull');
    await settle(() => fill(field(made.root, 'week'), '3'));
    assert.equal(made.shared.getSource(), FLIGHTS.replace('week: ${params.week}', 'week: 3'));
    made.close();
  });

  it('takes back and does again by keys, but not while somebody types', async () => {
    const made = await editor();
    await pick(made, 'pull');
    await settle(() => fill(field(made.root, 'week'), '3'));
    const changed = made.shared.getSource();
    const area = one(made.root, '.jp-mlops-Canvas');
    const press = (tag: Tag, fields: object, name = 'z') => {
      const event = key(tag, name, fields);
      return [event.defaultPrevented, made.shared.getSource() === changed];
    };
    assert.deepEqual(press(field(made.root, 'week'), { ctrlKey: true }), [false, true]);
    assert.deepEqual(press(area, {}), [false, true]);
    assert.deepEqual(press(area, { ctrlKey: true }), [true, false]);
    assert.deepEqual(press(area, { ctrlKey: true, shiftKey: true }, 'Z'), [true, true]);
    assert.deepEqual(press(area, { metaKey: true }), [true, false]);
    assert.equal(made.shared.getSource(), FLIGHTS);
    made.close();
  });

  it('follows a change of somebody else', async () => {
    const made = await editor();
    await pick(made, 'train');
    await settle(() => made.shared.become('name: other\ntasks:\n  pull: {notebook: x.ipynb}\n'));
    assert.deepEqual(made.cards(), ['pull']); // what is gone is not shown until the server answers
    assert.equal(made.title(), 'other');
    made.close();
  });

  it('opens notebooks, the text, the dialog and the form of a run', async () => {
    const made = await editor();
    happen(made.card('train'), 'dblclick');
    await pick(made, 'deploy');
    click(button(made.root, 'Open'));
    ['Add notebook', 'Open as text', 'Run…'].forEach(name => click(button(made.root, name)));
    assert.deepEqual(made.opened, [
      'flights/train.ipynb',
      'flights/deploy.ipynb',
      'a dialog',
      'the text',
      'the form of a run'
    ]);
    made.close();
  });

  it('opens no notebook that lies outside of the server', async () => {
    const made = await editor();
    await settle(() => made.shared.become(`${FLIGHTS}\n`));
    await made.checkedAs(answer(picture(NAMES), [], { train: null }));
    happen(made.card('train'), 'dblclick');
    assert.deepEqual(made.opened, []);
    made.close();
  });
});

describe('tasks', () => {
  it('come from notebooks that are dropped, and the last one is picked', async () => {
    const made = await editor();
    await made.drop(['report.ipynb', 'old/pull.ipynb', 'old/pull.ipynb']);
    assert.deepEqual(made.tasks(), [...NAMES, 'report', 'pull_2', 'pull_3']);
    assert.equal(made.title(), 'pull_3');
    await settle(() => made.shared.undo());
    assert.equal(made.shared.getSource(), FLIGHTS); // all of them in one step
    made.close();
  });

  it('are invited where there are none', async () => {
    const made = await editor('');
    assert.match(one(made.root, '.jp-mlops-Editor-empty').textContent, /^No tasks yetDrop /);
    await made.drop(['a.ipynb']);
    assert.deepEqual(all(made.root, '.jp-mlops-Editor-empty'), []);
    assert.equal(made.shared.getSource(), 'tasks:\n  a:\n    notebook: a.ipynb\n');
    made.close();
  });

  it('are not dropped into what cannot be read', async () => {
    const made = await editor('tasks: [');
    await made.drop(['a.ipynb']);
    assert.equal(made.shared.getSource(), 'tasks: [');
    assert.match(made.complaint()[0], /not YAML in line 1/);
    made.close();
  });

  it('go with their button or with a key', async () => {
    const made = await editor();
    await pick(made, 'deploy');
    await settle(() => click(button(made.root, 'Remove')));
    await pick(made, 'compare');
    await settle(() => key(made.card('compare'), 'Delete'));
    assert.deepEqual(made.tasks(), ['pull', 'features', 'train']);
    assert.deepEqual(made.cards(), ['pull', 'features', 'train']);
    assert.equal(made.title(), 'flights');
    made.close();
  });

  it('are renamed, stay picked, and others follow', async () => {
    const made = await editor();
    await pick(made, 'compare');
    await settle(() => fill(field(made.root, 'Name'), 'choose'));
    assert.equal(made.title(), 'choose');
    assert.match(made.shared.getSource(), /\$\{tasks\.choose\.results\.best\}/);
    made.close();
  });

  it('keep their name where the new one cannot be, which is told', async () => {
    const made = await editor();
    await pick(made, 'compare');
    const cases: [string, RegExp][] = [
      ['pull', /There is a task pull already/],
      ['1st', /A name begins with a letter/],
      ['a b', /A name begins with a letter/]
    ];
    for (const [name, expected] of cases) {
      await settle(() => fill(field(made.root, 'Name'), name));
      assert.match(made.complaint()[0], expected);
      assert.equal(made.title(), 'compare');
    }
    assert.equal(made.shared.getSource(), FLIGHTS);
    await pick(made, 'pull');
    assert.deepEqual(made.complaint(), []); // it was about another one
    made.close();
  });
});

describe('lines', () => {
  it('ask what goes along, and are made by the answer', async () => {
    const made = await editor();
    await draw(made, 'pull', 'deploy');
    assert.equal(made.title(), 'pull → deploy');
    assert.equal(made.shared.getSource(), FLIGHTS); // nothing before the answer
    type(field(made.root, 'What goes along'), 'needs');
    await settle(() => click(button(made.root, 'Connect')));
    assert.equal(outline(made.shared.getSource()).tasks[4].settings.needs, 'pull');
    assert.match(made.root.textContent, /deploy waits for pull because of/);
    made.close();
  });

  it('come to nothing where they are cancelled', async () => {
    const made = await editor();
    await draw(made, 'features', 'deploy');
    await settle(() => click(button(made.root, 'Cancel')));
    assert.equal(made.shared.getSource(), FLIGHTS);
    assert.equal(made.title(), 'flights');
    made.close();
  });

  it('make no circle, which is told before anything is asked', async () => {
    const made = await editor();
    await draw(made, 'deploy', 'pull');
    assert.deepEqual(made.complaint(), ['deploy waits for pull already: that would be a circle']);
    assert.equal(made.title(), 'flights');
    made.close();
  });

  it('are cut where they are picked', async () => {
    const made = await editor();
    await settle(() => happen(all(made.root, '.jp-mlops-Canvas-edge')[3], 'pointerdown', {}));
    assert.equal(made.title(), 'compare → deploy');
    await settle(() => click(button(made.root, 'Disconnect')));
    assert.deepEqual(Object.keys(outline(made.shared.getSource()).tasks[4].settings), ['notebook']);
    made.close();
  });
});

describe('what is wrong', () => {
  it('stands at its task, its field and in the toolbar, which leads there', async () => {
    const made = await editor(FLIGHTS, [
      problem('the file is odd', { severity: 'warning' }),
      problem("train: no parameter 'model'", { task: 'train', parameter: 'model', hint: 'try m' })
    ]);
    assert.match(one(made.root, '.jp-mlops-Problems').textContent, /the file is odd/);
    assert.equal(one(made.card('train'), '.jp-mlops-Card-badge').textContent, '1');
    assert.ok(button(made.root, 'Run…').disabled);
    await settle(() => click(button(made.root, '✘1 problem')));
    assert.equal(made.title(), 'train');
    assert.match(around(field(made.root, 'model')).textContent, /no parameter 'model'; try m/);
    made.close();
  });

  it('of the text keeps the last picture, locked, and leads to the text', async () => {
    const made = await editor();
    await pick(made, 'pull');
    await settle(() => made.shared.become(FLIGHTS.replace('tasks:', 'tasks: [')));
    assert.match(made.complaint()[0], /not YAML in line \d+: .*Open the text$/);
    assert.deepEqual(made.cards(), NAMES);
    assert.ok(one(made.root, '.jp-mlops-Editor-picture').matches('.jp-mod-stale'));
    assert.ok(field(made.root, 'week').disabled && !hasButton(made.root, 'Remove'));
    click(button(made.root, 'Open the text'));
    assert.deepEqual(made.opened, ['the text']);
    await settle(() => made.shared.become(FLIGHTS));
    assert.deepEqual(made.complaint(), []);
    assert.ok(!field(made.root, 'week').disabled);
    made.close();
  });

  it('with an alias is told like any other, wherever it is written', async () => {
    const made = await editor();
    await pick(made, 'pull');
    await settle(() => fill(field(made.root, 'limit'), '*nobody'));
    assert.equal(outline(made.shared.getSource()).tasks[0].parameters.limit, '*nobody');
    await settle(() => made.shared.become('tasks: *nobody\n'));
    await made.drop(['a.ipynb']);
    assert.match(made.complaint()[0], /nobody/);
    assert.equal(made.shared.getSource(), 'tasks: *nobody\n');
    made.close();
  });

  it('with the server is told, and goes when it answers again', async () => {
    const made = await editor();
    await settle(() => made.shared.become(`${FLIGHTS}\n`));
    await settle(() => mock.timers.tick(120));
    await settle(() => made.server.last.fail(new Error('the server does not answer')));
    assert.deepEqual(made.complaint(), ['Not checked: the server does not answer']);
    assert.deepEqual(made.cards(), NAMES);
    await settle(() => mock.timers.tick(3000));
    await made.checkedAs(answer(picture(NAMES)));
    assert.deepEqual(made.complaint(), []);
    made.close();
  });

  it('with a shared part is told in words', async () => {
    const made = await editor(
      'tasks:\n  pull: &x {notebook: pull.ipynb, parameters: {week: 1}}\n  fit: *x\n'
    );
    await pick(made, 'pull');
    await settle(() => fill(field(made.root, 'week'), '2'));
    assert.match(made.complaint()[0], /anchor/);
    assert.equal(made.shared.canUndo(), false);
    made.close();
  });
});

describe('a document that may not be changed', () => {
  it('is shown, and can be run and read', async () => {
    const made = await editor(FLIGHTS, [], { isReadOnly: true });
    await pick(made, 'deploy');
    assert.ok(all(made.root, 'input').every(({ disabled }) => disabled));
    assert.deepEqual(all(made.root, '.jp-mlops-Card-port'), []);
    await settle(() => key(made.card('deploy'), 'Delete'));
    assert.equal(made.shared.getSource(), FLIGHTS);
    assert.ok(button(made.root, 'Add notebook').disabled && !button(made.root, 'Run…').disabled);
    made.close();
  });
});
