import './page';
import './lab';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { CommandIDs, PALETTE, addCommands } from '../commands';
import { RESTORE, type Tabs } from '../tabWidget';
import { type ISurroundings, surroundings } from './surroundings';

interface ICommand {
  label: string;
  caption?: string;
  execute(args: object): unknown;
  isEnabled?(args: object): boolean;
  isVisible?(args: object): boolean;
  describedBy?: { args: { required?: string[]; properties: Record<string, unknown> } };
}

let commands: Record<string, ICommand>;
let around: ISurroundings;
let deeds: string[];
let file: string;
let notebook: string;
let failure: Error | null;

beforeEach(() => {
  [commands, deeds, file, notebook, failure] = [{}, [], '', '', null];
  const app = {
    commands: { addCommand: (id: string, command: ICommand) => void (commands[id] = command) },
    shell: { activateById: (id: string) => void deeds.push(`show ${id}`) }
  };
  around = surroundings(app);
  const does =
    (what: string) =>
    async (path: string): Promise<void> => {
      deeds.push(`${what} ${path}`);
      if (failure) {
        throw failure;
      }
    };
  addCommands(around.context.app, around.context, {
    panelId: 'the-panel',
    tabs: {
      open: (_: unknown, kind: string, args: object) =>
        void deeds.push(`tab ${kind} ${JSON.stringify(args)}`)
    } as unknown as Tabs,
    currentNotebook: () => notebook,
    currentFile: (...endings) => (endings.some(ending => file.endsWith(ending)) ? file : ''),
    runNotebook: does('run'),
    addToPipeline: does('add')
  });
});
afterEach(() => around.dispose());

const execute = (id: string, args = {}): Promise<unknown> =>
  Promise.resolve(commands[id].execute(args));
const isEnabled = (id: string, args = {}): boolean => commands[id].isEnabled?.(args) ?? true;
const isVisible = (id: string, args = {}): boolean => commands[id].isVisible?.(args) ?? true;

describe('what there is', () => {
  test('each command has a label, and all but a restored one a place in the documents', () => {
    assert.deepEqual(Object.keys(commands).sort(), [...Object.values(CommandIDs), RESTORE].sort());
    assert.ok(Object.values(commands).every(({ label }) => label.length > 3));
    const documented = readFileSync(resolve(__dirname, '../../../docs/panel.md'), 'utf8');
    for (const id of Object.values(CommandIDs)) {
      assert.ok(documented.includes(`| \`${id}\` |`), `${id} is not in docs/panel.md`);
    }
  });

  test('the palette has what can be used without an argument', () => {
    assert.ok(!PALETTE.includes(CommandIDs.openRun));
    assert.ok(PALETTE.every(id => id in commands && !commands[id].describedBy?.args.required));
  });

  test('menus, toolbars and keys of the settings name commands that there are', () => {
    const schema = readFileSync(resolve(__dirname, '../../schema/plugin.json'), 'utf8');
    const named = [...schema.matchAll(/"command": "([^"]+)"/g)].map(([, id]) => id);
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter(id => !(id in commands)),
      []
    );
  });

  test('what was restored is not offered', () => assert.equal(isVisible(RESTORE), false));
});

describe('the panel', () => {
  test('is shown', async () => {
    await execute(CommandIDs.openPanel);
    assert.deepEqual(deeds, ['show the-panel']);
  });

  test('is shown with the runs', async () => {
    await execute(CommandIDs.openRuns);
    assert.deepEqual(deeds, ['show the-panel']);
    assert.equal(around.context.navigation.section, 'runs');
  });

  test('is shown with the form of a pipeline that is named', async () => {
    await execute(CommandIDs.runPipeline, { path: 'a/pipeline.yaml' });
    const { section, pipeline, isFormOpen } = around.context.navigation;
    assert.deepEqual([section, pipeline, isFormOpen], ['pipelines', 'a/pipeline.yaml', true]);
    assert.deepEqual(deeds, ['show the-panel']);
  });

  test('or of the one that is looked at, or of none', async () => {
    file = 'b/x.pipeline.yaml';
    await execute(CommandIDs.runPipeline);
    assert.equal(around.context.navigation.pipeline, 'b/x.pipeline.yaml');
    file = 'b/x.ipynb';
    await execute(CommandIDs.runPipeline);
    assert.equal(around.context.navigation.pipeline, '');
  });

  test('looks at the server again', async () => {
    const refresh = mock.method(around.context.model, 'refresh', async () => undefined);
    await execute(CommandIDs.refresh);
    assert.equal(refresh.mock.callCount(), 1);
  });
});

describe('tabs', () => {
  test('a run is opened by its id, with a title where one is known', async () => {
    await execute(CommandIDs.openRun, { runId: 'r1' });
    await execute(CommandIDs.openRun, { runId: 'r2', title: 'flights' });
    assert.deepEqual(around.opened, [
      ['run', { runId: 'r1', title: undefined }],
      ['run', { runId: 'r2', title: 'flights' }]
    ]);
  });

  test('one that was open is opened again; of what is unknown nothing is', async () => {
    await execute(RESTORE, { kind: 'model', args: { name: 'm' } });
    await execute(RESTORE, { kind: 'compute' });
    await execute(RESTORE, {});
    assert.deepEqual(deeds, ['tab model {"name":"m"}', 'tab compute {}']);
  });
});

const NOTEBOOKS: [string, string][] = [
  [CommandIDs.runNotebook, 'run'],
  [CommandIDs.addToPipeline, 'add']
];
for (const [id, deed] of NOTEBOOKS) {
  describe(`${id}`, () => {
    test('takes the notebook that is named, then the chosen file, then the edited one', async () => {
      notebook = 'edited.ipynb';
      file = 'chosen.ipynb';
      await execute(id, { path: 'named.ipynb' });
      await execute(id);
      file = 'data.csv';
      await execute(id);
      assert.deepEqual(deeds, [
        `${deed} named.ipynb`,
        `${deed} chosen.ipynb`,
        `${deed} edited.ipynb`
      ]);
    });

    test('is enabled where there is one', async () => {
      assert.equal(isEnabled(id), false);
      await execute(id); // by a key, all the same
      assert.deepEqual(deeds, []);
      assert.equal(isEnabled(id, { path: 'a.ipynb' }), true);
      notebook = 'a.ipynb';
      assert.equal(isEnabled(id), true);
    });

    test('what goes wrong is reported, not thrown', async () => {
      failure = new Error('no kernel');
      await execute(id, { path: 'a.ipynb' });
      assert.deepEqual(around.reported, [failure]);
    });
  });
}

const FILES: [string, string, string, string[], string[]][] = [
  [
    CommandIDs.dockerize,
    'dockerize',
    'target',
    ['a.ipynb', 'pipeline.yaml', 'x/late.pipeline.yml'],
    ['a.py', 'a.yaml', '']
  ],
  [
    CommandIDs.exportPipeline,
    'export',
    'path',
    ['pipeline.yaml', 'late.pipeline.yaml', 'pipeline.yml'],
    ['a.ipynb', 'values.yaml', '']
  ]
];
for (const [id, kind, name, taken, others] of FILES) {
  describe(`${id}`, () => {
    for (const path of taken) {
      test(`takes ${path}`, async () => {
        file = path;
        assert.deepEqual([isEnabled(id), isVisible(id, { isMenu: true })], [true, true]);
        await execute(id);
        assert.deepEqual(around.opened, [[kind, { [name]: path }]]);
      });
    }

    for (const path of others) {
      test(`leaves ${path || 'nothing'} alone`, async () => {
        file = path;
        assert.deepEqual([isEnabled(id), isVisible(id, { isMenu: true })], [false, false]);
        assert.equal(isVisible(id), true); // in the palette it is always found
        await execute(id);
        assert.deepEqual(around.opened, []);
      });
    }

    test('takes what is named, whatever is looked at', async () => {
      file = 'b.py';
      assert.equal(isEnabled(id, { path: 'a/pipeline.yaml' }), true);
      await execute(id, { path: 'a/pipeline.yaml' });
      assert.deepEqual(around.opened, [[kind, { [name]: 'a/pipeline.yaml' }]]);
    });
  });
}
