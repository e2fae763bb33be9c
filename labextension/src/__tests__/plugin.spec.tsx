import { Page, until, value } from './page';
import { type ReactWidget, dialogs, notifications } from './lab';
import { Signal } from '@lumino/signaling';
import { PageConfig } from '@jupyterlab/coreutils';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CommandIDs, PALETTE } from '../commands';
import plugin from '../plugin';
import { parameter, status } from './samples';

type Command = { execute(args: object): Promise<unknown>; isEnabled?(args: object): boolean };
interface IPlaced {
  widget: ReactWidget;
  area: string;
}

/** A plugin is never closed: that it looks at its server every 30 seconds must not keep the tests from ending. */
const start = globalThis.setTimeout;
const startQuietly = (done: () => void, milliseconds: number): NodeJS.Timeout => {
  const timer = start(done, milliseconds);
  return milliseconds < 1000 ? timer : timer.unref();
};
Object.assign(globalThis, { setTimeout: startQuietly });

/** A JupyterLab, or a Notebook 7 (`isLab: false`), with the plugin in it. */
class Host {
  readonly commands: Record<string, Command> = {};
  readonly placed: IPlaced[] = [];
  readonly asked: string[] = [];
  readonly palette: string[] = [];
  readonly opened: [string, string | undefined][] = [];
  readonly lost = new Signal<object, Error>({});
  readonly settingsChanged = new Signal<object, void>({});
  readonly items: string[] = [];
  answers: Record<string, unknown> = { 'GET /status': status() };
  settings: Record<string, unknown> = {};
  notebook: { context: { path: string; model: { dirty: boolean }; save(): Promise<void> } } | null =
    null;
  chosen: string[] = [];
  saved = 0;

  /** `without`: the services that this host does not have, by their names. */
  activate(isLab: boolean, without: readonly string[] = []): void {
    const shell = {
      add: (widget: ReactWidget, area: string) => void this.placed.push({ widget, area }),
      activateById: () => undefined,
      widgets: () => [],
      currentWidget: this.notebook
    };
    const serverSettings = {
      baseUrl: 'http://host/',
      wsUrl: 'ws://host/',
      appUrl: '',
      token: '',
      init: {},
      fetch: async (request: Request) => this._answer(request),
      Request,
      Headers,
      appendToken: false
    };
    const app = {
      shell,
      restored: Promise.resolve(),
      commands: {
        addCommand: (id: string, command: Command) => void (this.commands[id] = command)
      },
      docRegistry: {
        getWidgetFactory: (name: string) => (name === 'Known' ? {} : undefined),
        addFileType: () => undefined,
        addWidgetFactory: () => undefined,
        setDefaultWidgetFactory: () => undefined
      },
      serviceManager: {
        serverSettings,
        events: { stream: new Signal<object, object>({}) },
        connectionFailure: this.lost
      }
    };
    const composite = (): Record<string, unknown> => this.settings;
    const services: Record<string, unknown> = {
      ILabShell: isLab ? { ...shell } : null,
      ILayoutRestorer: { add: () => undefined, restore: async () => undefined },
      ISettingRegistry: {
        load: async () => ({
          changed: this.settingsChanged,
          get composite() {
            return composite();
          }
        })
      },
      ICommandPalette: {
        addItem: ({ command }: { command: string }) => this.palette.push(command)
      },
      ILauncher: {
        add: ({ command }: { command: string }) => this.items.push(`launcher ${command}`)
      },
      IStatusBar: isLab
        ? { registerStatusItem: (id: string) => void this.items.push(`status ${id}`) }
        : null,
      IDocumentManager: {
        openOrReveal: (path: string, factory?: string) => void this.opened.push([path, factory]),
        contextForWidget: (widget: Host['notebook']) => widget?.context
      },
      IFileBrowserFactory: {
        tracker: {
          currentWidget: { selectedItems: () => this.chosen.map(path => ({ path })).values() }
        }
      },
      INotebookTracker: {
        currentWidget: this.notebook,
        find: (fits: (widget: unknown) => boolean) =>
          this.notebook && fits(this.notebook) ? this.notebook : undefined
      }
    };
    const given = plugin.optional!.map(token => {
      const { name } = token as unknown as { name: string };
      return without.includes(name) ? null : (services[name] ?? null);
    });
    (plugin.activate as (...all: unknown[]) => void)(app, ...given);
  }

  edit(path: string, isDirty = false): void {
    const save = async (): Promise<void> => void (this.saved += 1);
    this.notebook = { context: { path, model: { dirty: isDirty }, save } };
  }

  execute(id: string, args = {}): Promise<unknown> {
    return Promise.resolve(this.commands[id].execute(args));
  }

  private _answer(request: Request): Response {
    const place = `${request.method} ${new URL(request.url).pathname.slice('/mlops/api'.length)}`;
    this.asked.push(place);
    const answer = this.answers[place];
    return answer instanceof Response ? answer : new Response(JSON.stringify(answer ?? {}));
  }
}

let host: Host;
beforeEach(() => {
  PageConfig.setOption('baseUrl', 'http://host/');
  host = new Host();
  notifications.length = 0;
  dialogs.length = 0;
});

describe('in JupyterLab', () => {
  test('there are a panel, commands, a palette, a launcher and an item of the status bar', async () => {
    host.activate(true);
    await until(() => host.asked.length === 1);
    assert.deepEqual(
      host.placed.map(({ area, widget }) => [area, widget.id]),
      [['left', 'jupyter-mlops-panel']]
    );
    assert.deepEqual(host.palette, PALETTE);
    assert.deepEqual(host.items, [
      `launcher ${CommandIDs.openPanel}`,
      'status jupyter-mlops:running'
    ]);
    assert.deepEqual(host.asked, ['GET /status']);
  });

  test('it does without whatever is not there', async () => {
    const names = plugin.optional!.map(token => (token as unknown as { name: string }).name);
    host.activate(true, names);
    await until(() => host.asked.length === 1);
    assert.equal(host.placed[0].area, 'left');
    assert.equal(host.commands[CommandIDs.runNotebook].isEnabled!({}), false);
  });

  test('a lost connection is looked after at once', async () => {
    host.activate(true);
    await until(() => host.asked.length === 1);
    host.lost.emit(new Error('gone'));
    await until(() => host.asked.length === 2);
  });
});

describe('in Notebook 7', () => {
  test('what runs stands at the end of the menus, for there is no status bar', async () => {
    host.activate(false);
    await until(() => host.asked.length === 1);
    assert.deepEqual(
      host.placed.map(({ area, widget }) => [area, widget.id]),
      [
        ['left', 'jupyter-mlops-panel'],
        ['menu', 'jupyter-mlops:running']
      ]
    );
  });
});

describe('a notebook that is run', () => {
  const parameters = 'GET /notebooks/a/fit.ipynb/parameters';
  const started = 'POST /notebooks/a/fit.ipynb/run';
  let page: Page;
  beforeEach(() => {
    page = new Page();
    host.answers[started] = { run_id: 'r7' };
  });
  afterEach(() => page.close());

  test('is saved where it was changed, and runs at once where it takes nothing', async () => {
    host.answers[parameters] = { parameters: [] };
    host.edit('a/fit.ipynb', true);
    host.activate(true);
    await host.execute(CommandIDs.runNotebook);
    assert.equal(host.saved, 1);
    assert.deepEqual(
      host.asked.filter(place => place !== 'GET /status'),
      [parameters, started]
    );
    assert.deepEqual(
      host.placed.map(({ widget }) => widget.title.label),
      ['', 'fit.ipynb']
    ); // the panel, and the tab of the run
    assert.deepEqual(dialogs, []);
  });

  test('is not saved where it is as it was', async () => {
    host.answers[parameters] = { parameters: [] };
    host.edit('a/fit.ipynb');
    host.activate(true);
    await host.execute(CommandIDs.runNotebook);
    assert.equal(host.saved, 0);
  });

  test('asks for what it takes, then shows the run', async () => {
    host.answers[parameters] = { parameters: [parameter('week')] };
    host.activate(true);
    void host.execute(CommandIDs.runNotebook, { path: 'a/fit.ipynb' });
    await until(() => dialogs.length > 0);
    const [dialog] = dialogs;
    assert.equal(dialog.options.title, 'Run fit.ipynb as a task');
    await page.show(dialog.options.body.element);
    assert.equal(value(page.field('week')), '3');
    await page.click(page.one('button[type="submit"]'));
    await until(() => !dialog.isOpen);
    assert.ok(host.asked.includes(started));
    assert.equal(host.placed.at(-1)!.widget.title.label, 'fit.ipynb');
  });

  test('that cannot be read says why, with the cure', async () => {
    const said = { code: 'invalid', message: 'it is no notebook', hint: 'open it' };
    host.answers[parameters] = new Response(JSON.stringify(said), { status: 400 });
    host.activate(true);
    await host.execute(CommandIDs.runNotebook, { path: 'a/fit.ipynb' });
    assert.deepEqual(notifications, ['error: it is no notebook\nopen it']);
  });
});

describe('which file is meant', () => {
  const target = async (): Promise<string | undefined> => {
    host.activate(true);
    await host.execute(CommandIDs.exportPipeline);
    return host.placed.at(-1)!.widget.title.label.split(' ')[0] || undefined;
  };

  test('the one that is edited before the one that is chosen', async () => {
    host.edit('a/pipeline.yaml');
    host.chosen = ['b/pipeline.yaml'];
    assert.equal(await target(), 'a/pipeline.yaml');
  });

  test('of several that are chosen the first of its kind', async () => {
    host.edit('x.ipynb');
    host.chosen = ['a.csv', 'b/pipeline.yaml', 'c/pipeline.yaml'];
    assert.equal(await target(), 'b/pipeline.yaml');
  });

  test('none', async () => {
    host.chosen = ['a.csv'];
    assert.equal(await target(), undefined);
  });
});
