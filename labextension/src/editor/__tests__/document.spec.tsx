import { dialog, drag } from './lab';
import { all, button, click, one, settle, show } from './page';
import type { Tag } from './dom';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReactElement } from 'react';

import type { IContext } from '../../tokens';
import { addEditor, PipelineEditor } from '../document';
import type { IEditor } from '../editor';
import { outline } from '../outline';
import { answer, picture, Server, SharedText, trans } from './builders';

const CONTENTS = 'application/x-jupyter-icontents';

interface IMade {
  isReady?: boolean;
  isReadOnly?: boolean;
  isWritable?: boolean;
  isDirty?: boolean;
  save?: () => Promise<void>;
  path?: string;
  hasDialog?: boolean;
}

/** An editor of a document in `RTC:flights`, and what it asked of JupyterLab. */
async function document(made: IMade = {}) {
  const done: string[] = [];
  const server = new Server();
  const shared = new SharedText('tasks: {}\n');
  const context = {
    api: {
      ...server.api,
      addSchedule: async ({ path, name }: { path: string; name: string }) => {
        done.push(`add ${name} of ${path}`);
        return { items: [{ name: `flights.${name}`, is_paused: name === 'nightly' }] };
      }
    },
    trans,
    app: {
      serviceManager: { contents: { localPath: (path: string) => path.replace(/^RTC:/, '') } },
      shell: { activateById: (id: string) => done.push(`activate ${id}`) }
    },
    navigation: {
      showPipeline: (path: string, isForm: boolean) => done.push(`run ${path} ${isForm}`)
    },
    openFile: (path: string, factory?: string) => done.push(`open ${path} ${factory}`),
    report: (error: Error) => done.push(`report ${error.message}`),
    say: (text: string) => done.push(`say ${text}`)
  } as unknown as IContext;
  const file = {
    path: made.path ?? 'RTC:flights/pipeline.yaml',
    isReady: made.isReady ?? true,
    ready: Promise.resolve(),
    contentsModel: { writable: made.isWritable ?? true },
    model: {
      readOnly: made.isReadOnly ?? false,
      dirty: made.isDirty ?? false,
      sharedModel: shared
    },
    save: made.save ?? (() => Promise.resolve(void done.push('save')))
  };
  const widget = new PipelineEditor(
    context,
    file as never,
    made.hasDialog === false ? null : ({} as never)
  ) as unknown as {
    node: Tag;
    path: string;
    classes: Set<string>;
    updates: number;
    render: () => ReactElement;
    onAfterAttach: (message: unknown) => void;
    onBeforeDetach: (message: unknown) => void;
  };
  widget.onAfterAttach(null);
  const { root } = show(widget.render());
  await settle();
  await settle(() => server.last?.say(answer(picture([]))));
  const tasks = (): string[] => outline(shared.getSource()).tasks.map(({ notebook }) => notebook);
  return { widget, root, done, shared, tasks };
}

const press = (root: Tag, name: string): Promise<void> => settle(() => click(button(root, name)));

describe('the document of a pipeline', () => {
  it('waits until its text is there', async () => {
    const { root, widget } = await document({ isReady: false });
    assert.equal(one(root, '.jp-mlops-Waiting').getAttribute('role'), 'status');
    assert.deepEqual(all(root, '.jp-mlops-Editor'), []);
    assert.equal(widget.updates, 1); // and is shown again then
  });

  it('shows the editor, which knows its place on the server', async () => {
    const { root, widget } = await document();
    assert.equal(widget.path, 'flights/pipeline.yaml');
    one(root, '.jp-mlops-Editor');
    assert.ok(widget.classes.has('jp-mlops'));
  });

  it('may not be changed where the model or the file says so', async () => {
    for (const made of [{ isReadOnly: true }, { isWritable: false }]) {
      assert.ok(button((await document(made)).root, 'Add notebook').disabled);
    }
    assert.ok(!button((await document()).root, 'Add notebook').disabled);
  });

  it('opens as text in the usual editor, wherever it lies', async () => {
    const { root, done } = await document();
    await press(root, 'Open as text');
    assert.deepEqual(done, ['open RTC:flights/pipeline.yaml Editor']);
  });

  it('is saved before it runs, if there is something to save', async () => {
    const shown = ['run flights/pipeline.yaml true', 'activate jupyter-mlops-panel'];
    for (const [isDirty, expected] of [
      [true, ['save', ...shown]],
      [false, shown]
    ] as const) {
      const { root, done } = await document({ isDirty });
      await press(root, 'Run…');
      assert.deepEqual(done, expected);
    }
  });

  it('is saved before a schedule of it becomes active', async () => {
    const { widget, done } = await document({ isDirty: true });
    const { onActivate } = (widget.render().props.children as ReactElement<IEditor>).props;
    await settle(() => onActivate('weekly'));
    await settle(() => onActivate('nightly'));
    assert.deepEqual(done, [
      'save',
      'add weekly of flights/pipeline.yaml',
      'say flights.weekly runs by itself from now on',
      'save',
      'add nightly of flights/pipeline.yaml',
      'say flights.nightly is paused: it fires once somebody resumes it'
    ]);
    const full = await document({
      isDirty: true,
      save: () => Promise.reject(new Error('the disk is full'))
    });
    const editor = (full.widget.render().props.children as ReactElement<IEditor>).props;
    await settle(() => editor.onActivate('weekly'));
    assert.deepEqual(full.done, ['report the disk is full']);
  });

  it('does not run where it could not be saved, and says so', async () => {
    const { root, done } = await document({
      isDirty: true,
      save: () => Promise.reject(new Error('the disk is full'))
    });
    await press(root, 'Run…');
    assert.deepEqual(done, ['report the disk is full']);
  });
});

describe('notebooks', () => {
  it('are chosen in a dialog that shows nothing else', async () => {
    const { root, tasks } = await document();
    dialog.chosen = ['RTC:flights/fit.ipynb', 'RTC:shared/load.ipynb'];
    await press(root, 'Add notebook');
    assert.deepEqual(tasks(), ['fit.ipynb', '../shared/load.ipynb']);
    const { defaultPath, filter } = dialog.asked.pop() as {
      defaultPath: string;
      filter: (item: { type: string }) => object | null;
    };
    assert.equal(defaultPath, 'RTC:flights');
    assert.deepEqual(
      ['notebook', 'file', 'directory'].map(type => filter({ type })),
      [{}, null, null]
    );
  });

  it('are none where the dialog is cancelled, or there is none', async () => {
    dialog.chosen = null;
    for (const hasDialog of [true, false]) {
      const { root, shared } = await document({ hasDialog });
      await press(root, 'Add notebook');
      assert.equal(shared.getSource(), 'tasks: {}\n');
    }
  });

  it('are dropped from the file browser', async () => {
    const { widget, tasks } = await document();
    const data = { [CONTENTS]: ['RTC:flights/a b.ipynb', 'RTC:flights/notes.md', 'x/ü.ipynb'] };
    const over = drag(widget.node, 'lm-dragenter', data);
    assert.ok(over.defaultPrevented && over.isStopped);
    assert.equal((over as unknown as { dropAction: string }).dropAction, 'move');
    assert.ok(widget.classes.has('jp-mod-dropping'));
    drag(widget.node, 'lm-dragover', data);
    drag(widget.node, 'lm-drop', data);
    assert.ok(!widget.classes.has('jp-mod-dropping'));
    assert.deepEqual(tasks(), ['a b.ipynb', '../x/ü.ipynb']);
  });

  it('that are dragged past leave no trace', async () => {
    const { widget, tasks } = await document();
    const data = { [CONTENTS]: ['a.ipynb'] };
    drag(widget.node, 'lm-dragenter', data);
    drag(widget.node, 'lm-dragleave', data);
    assert.ok(!widget.classes.has('jp-mod-dropping'));
    assert.deepEqual(tasks(), []);
  });

  it('are all that can be dropped', async () => {
    const { widget, shared } = await document();
    for (const data of [
      {},
      { 'text/plain': 'a.ipynb' },
      { [CONTENTS]: ['notes.md', 3, null] },
      { [CONTENTS]: 'a.ipynb' },
      { [CONTENTS]: [] }
    ]) {
      for (const type of ['lm-dragenter', 'lm-dragover', 'lm-drop']) {
        assert.ok(!drag(widget.node, type, data).defaultPrevented, JSON.stringify(data));
      }
      assert.ok(!widget.classes.has('jp-mod-dropping'));
    }
    assert.equal(shared.getSource(), 'tasks: {}\n');
  });

  it('are not heard of any more once the widget is gone', async () => {
    const { widget, tasks } = await document();
    widget.onBeforeDetach(null);
    assert.ok(!drag(widget.node, 'lm-drop', { [CONTENTS]: ['a.ipynb'] }).defaultPrevented);
    assert.deepEqual(tasks(), []);
  });
});

describe('JupyterLab', () => {
  interface IFileType {
    pattern: string;
    extensions: string[];
  }
  interface IFactory {
    options: { name: string; modelName: string; fileTypes: string[]; defaultFor: string[] };
    createNewWidget: (file: object) => { options: { content: object } };
  }

  function registered() {
    const types: IFileType[] = [];
    const factories: IFactory[] = [];
    const docRegistry = {
      addFileType: (type: IFileType) => types.push(type),
      addWidgetFactory: (factory: IFactory) => factories.push(factory)
    };
    addEditor({ trans, app: { docRegistry } } as unknown as IContext, null);
    return { type: types[0], factory: factories[0] };
  }

  it('knows a pipeline by its name', () => {
    const { pattern, extensions } = registered().type;
    const names: [string, boolean][] = [
      ['pipeline.yaml', true],
      ['pipeline.yml', true],
      ['flights.pipeline.yaml', true],
      ['mypipeline.yaml', false],
      ['pipeline.yaml.bak', false],
      ['pipelineXyaml', false],
      ['other.yaml', false]
    ];
    names.forEach(([name, isOne]) => assert.equal(new RegExp(pattern).test(name), isOne, name));
    assert.deepEqual(extensions, ['.pipeline.yaml', '.pipeline.yml']);
  });

  it('opens it with the editor only where somebody asks for that', () => {
    const { options } = registered().factory;
    assert.deepEqual(
      [options.name, options.modelName, options.defaultFor],
      ['Pipeline Editor', 'text', []]
    );
  });

  it('gets a widget with the editor in it', () => {
    const widget = registered().factory.createNewWidget({ ready: Promise.resolve() });
    assert.ok(widget.options.content instanceof PipelineEditor);
  });
});
