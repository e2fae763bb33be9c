/** The panel's plugin: makes the context, and joins the parts to whatever of JupyterLab is there. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, ReactWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { speak } from './language';
import { Api } from './api';
import { CommandIDs, PALETTE, addCommands } from './commands';
import { addEditor } from './editor/document';
import { Model, type IEvent } from './model';
import { addToPipeline } from './addToPipeline';
import { Navigation } from './navigation';
import { Preferences } from './preferences';
import { createPanel } from './panels/frame';
import { StartForm } from './panels/runForm';
import { RunningItem } from './panels/running';
import { Tabs } from './tabWidget';
import type { IContext } from './tokens';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:plugin',
  description: 'Pipelines, runs, models, features and compute of jupyter_mlops.',
  autoStart: true,
  optional: [
    ILabShell, // there in JupyterLab alone: Notebook 7 has none of it
    ILayoutRestorer,
    ISettingRegistry,
    ICommandPalette,
    ILauncher,
    IStatusBar,
    ITranslator,
    IDocumentManager,
    IFileBrowserFactory,
    INotebookTracker
  ],
  activate
};

export default plugin;

function activate(
  app: JupyterFrontEnd,
  lab: ILabShell | null,
  restorer: ILayoutRestorer | null,
  settings: ISettingRegistry | null,
  palette: ICommandPalette | null,
  launcher: ILauncher | null,
  statusBar: IStatusBar | null,
  translator: ITranslator | null,
  documents: IDocumentManager | null,
  browsers: IFileBrowserFactory | null,
  notebooks: INotebookTracker | null
): void {
  const trans = (translator ?? nullTranslator).load('jupyter_mlops');
  speak(trans);
  const api = Api.of(app.serviceManager.serverSettings);
  const model = new Model(api.status, app.serviceManager.events.stream as unknown as EventSignal);
  app.serviceManager.connectionFailure.connect(() => void model.refresh());
  for (const event of ['offline', 'online']) {
    window.addEventListener(event, () => void model.refresh()); // sooner than the next look would find it out
  }
  const tabs = new Tabs(app, lab);
  const context: IContext = {
    app,
    api,
    model,
    navigation: new Navigation(),
    preferences: new Preferences(),
    trans,
    open: (kind, args) => tabs.open(context, kind, args),
    openFile: (path, factory) => {
      const isKnown = factory && app.docRegistry.getWidgetFactory(factory);
      documents?.openOrReveal(path, isKnown ? factory : undefined);
    },
    report: error => {
      model.failed(error);
      const { message, hint } = error as { message?: string; hint?: string };
      Notification.error([message ?? String(error), hint].filter(Boolean).join('\n'), {
        autoClose: 8000
      });
    },
    say: text => void Notification.emit(text, 'success', { autoClose: 3000 })
  };

  void settings
    ?.load(plugin.id)
    .then(loaded => {
      const read = (): void => context.preferences.read(loaded.composite);
      loaded.changed.connect(read);
      read();
      context.navigation.beginWith(context.preferences.value.section);
    })
    .catch(error => console.warn('jupyter-mlops: the settings cannot be read', error));
  addEditor(context, documents);
  const panel = createPanel(context);
  app.shell.add(panel, 'left', { rank: 250, type: 'MLOps' });
  restorer?.add(panel, panel.id);
  if (restorer) {
    tabs.restore(restorer);
  }

  const currentNotebook = (): string => {
    const widget = notebooks?.currentWidget;
    return widget && widget === app.shell.currentWidget ? widget.context.path : '';
  };
  addCommands(app, context, {
    panelId: panel.id,
    tabs,
    currentNotebook,
    currentFile: (...endings) => {
      const chosen = [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])].map(
        ({ path }) => path
      );
      const edited =
        app.shell.currentWidget && documents?.contextForWidget(app.shell.currentWidget)?.path;
      return (
        [edited ?? '', ...chosen].find(path => endings.some(ending => path.endsWith(ending))) ?? ''
      );
    },
    runNotebook: async path => {
      const open = notebooks?.find(widget => widget.context.path === path);
      if (open?.context.model.dirty) {
        await open.context.save();
      }
      const { parameters } = await api.notebookParameters(path);
      await askAndRun(context, path, parameters);
    },
    addToPipeline: path => addToPipeline(context, path)
  });

  for (const command of PALETTE) {
    palette?.addItem({ command, category: 'MLOps' });
  }
  launcher?.add({ command: CommandIDs.openPanel, category: trans.__('Other'), rank: 10 });
  const running = ReactWidget.create(<RunningItem context={context} />);
  running.id = 'jupyter-mlops:running';
  if (statusBar) {
    statusBar.registerStatusItem(running.id, { item: running, align: 'left', rank: 3 });
  } else if (!lab) {
    app.shell.add(running, 'menu', { rank: 1000 }); // in Notebook 7, at the end of the line of menus
  }
  if (!lab) {
    void app.restored.then(() => tabs.openAsked(context, window.location.search));
  }
}

type EventSignal = ConstructorParameters<typeof Model>[1] & { readonly __event?: IEvent };

/** Ask for the arguments in a dialog, or run at once when there are none to ask for. */
async function askAndRun(
  context: IContext,
  path: string,
  parameters: Awaited<ReturnType<Api['notebookParameters']>>['parameters']
): Promise<void> {
  const { api, trans } = context;
  const name = PathExt.basename(path);
  const show = (runId: string): void => context.open('run', { runId, title: name });
  if (!parameters.length) {
    show((await api.runNotebook(path, {})).run_id);
    return;
  }
  let dialog: Dialog<unknown> | null = null;
  const body = ReactWidget.create(
    <StartForm
      context={context}
      parameters={parameters}
      isForceOffered={false}
      start={(texts, _, options) => api.runNotebook(path, texts, options)}
      onStarted={run => {
        dialog?.reject(); // closes it: there is no button of its own to answer with
        show(run.run_id);
      }}
      onCancel={() => dialog?.reject()}
    />
  );
  body.addClass('jp-mlops');
  body.addClass('jp-mlops-Dialog');
  dialog = new Dialog({
    title: trans.__('Run %1 as a task', name),
    body,
    buttons: [],
    hasClose: true
  });
  await dialog.launch().catch(() => undefined);
}
