/**
 * The editor as a widget for documents: "Pipeline Editor" in *Open With*, beside the text editor.
 *
 * The document's model is the same as the text editor's, so both may be open at once and show each other's changes;
 * undo, the mark of what is not saved, saving, and collaboration are the model's. Only this file and the list of file
 * types is loaded with JupyterLab; the editor itself waits until a pipeline is opened.
 */
import { PathExt } from '@jupyterlab/coreutils';
import {
  ABCWidgetFactory,
  DocumentRegistry,
  DocumentWidget,
  type IDocumentWidget
} from '@jupyterlab/docregistry';
import { FileDialog } from '@jupyterlab/filebrowser';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { MimeData } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { lazy, type ReactElement, Suspense } from 'react';

import { Waiting } from '../components/pieces';
import { pipelinesIcon } from '../icons';
import { EDITOR, type IContext } from '../tokens';
import type { ISharedText } from './shared';

const FILE_TYPE = 'mlops-pipeline';
const CONTENTS = 'application/x-jupyter-icontents';

const Editor = lazy(async () => ({ default: (await import('./editor')).Editor }));

type Manager = Parameters<typeof FileDialog.getOpenFiles>[0]['manager'];

/** Lumino's drag events, as far as they are used. */
interface IDragEvent extends Event {
  mimeData: MimeData;
  dropAction: string;
  proposedAction: string;
}

/** Teaches JupyterLab the file type and the editor. `manager` lets somebody choose notebooks in a dialog. */
export function addEditor(context: IContext, manager: Manager | null): void {
  const registry = context.app.docRegistry;
  registry.addFileType({
    name: FILE_TYPE,
    displayName: context.trans.__('Pipeline'),
    pattern: '(^|\\.)pipeline\\.ya?ml$',
    extensions: ['.pipeline.yaml', '.pipeline.yml'],
    mimeTypes: ['text/x-yaml'],
    contentType: 'file',
    fileFormat: 'text',
    icon: pipelinesIcon
  });
  registry.addWidgetFactory(new EditorFactory(context, manager));
}

class EditorFactory extends ABCWidgetFactory<IDocumentWidget> {
  constructor(
    private readonly _context: IContext,
    private readonly _manager: Manager | null
  ) {
    super({
      name: EDITOR,
      label: _context.trans.__('Pipeline Editor'),
      modelName: 'text',
      fileTypes: [FILE_TYPE],
      defaultFor: []
    });
  }

  protected createNewWidget(document: DocumentRegistry.Context): IDocumentWidget {
    const content = new PipelineEditor(this._context, document, this._manager);
    content.title.icon = pipelinesIcon;
    const widget = new DocumentWidget({ content, context: document });
    widget.toolbar.hide(); // the editor has its own, and an empty one would leave a line
    return widget as unknown as IDocumentWidget; // two copies of the types of one library stand in node_modules
  }
}

/** The content of the document's widget: React, and what the file browser drops on it. */
export class PipelineEditor extends ReactWidget {
  constructor(
    private readonly _context: IContext,
    private readonly _document: DocumentRegistry.Context,
    private readonly _manager: Manager | null
  ) {
    super();
    this.addClass('jp-mlops');
    this.addClass('jp-mlops-EditorDocument');
    void _document.ready.then(() => this.update());
  }

  /** Where the file lies, from the server's root. */
  get path(): string {
    return this._context.app.serviceManager.contents.localPath(this._document.path);
  }

  protected render(): ReactElement {
    const { trans } = this._context;
    if (!this._document.isReady) {
      return <Waiting label={trans.__('Loading…')} />;
    }
    return (
      <Suspense fallback={<Waiting label={trans.__('Loading…')} />}>
        <Editor
          context={this._context}
          shared={this._document.model.sharedModel as unknown as ISharedText}
          path={this.path}
          isReadOnly={
            this._document.model.readOnly || this._document.contentsModel?.writable === false
          }
          dropped={this._dropped}
          onAdd={() => void this._choose()}
          onOpenText={() => this._context.openFile(this._document.path, 'Editor')}
          onRun={() => void this._run()}
          onActivate={schedule => void this._activate(schedule)}
        />
      </Suspense>
    );
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    DRAG_EVENTS.forEach(name => this.node.addEventListener(name, this));
  }

  protected onBeforeDetach(message: Message): void {
    DRAG_EVENTS.forEach(name => this.node.removeEventListener(name, this));
    super.onBeforeDetach(message);
  }

  handleEvent(event: Event): void {
    const drag = event as IDragEvent;
    const paths = notebooksOf(drag.mimeData);
    if (event.type === 'lm-dragleave' || event.type === 'lm-drop') {
      this.removeClass('jp-mod-dropping');
    }
    if (paths.length === 0 || event.type === 'lm-dragleave') {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    drag.dropAction = drag.proposedAction;
    if (event.type === 'lm-drop') {
      this._add(paths);
    } else {
      this.addClass('jp-mod-dropping');
    }
  }

  private _add(paths: readonly string[]): void {
    const { contents } = this._context.app.serviceManager;
    const folder = PathExt.dirname(this.path);
    const relative = paths.map(path => PathExt.relative(folder, contents.localPath(path)));
    this._slots.forEach(slot => slot(relative));
  }

  private async _choose(): Promise<void> {
    if (!this._manager) {
      return;
    }
    const { trans } = this._context;
    const chosen = await FileDialog.getOpenFiles({
      manager: this._manager,
      title: trans.__('Add notebooks'),
      label: trans.__('Each becomes a task.'),
      defaultPath: PathExt.dirname(this._document.path),
      filter: item => (item.type === 'notebook' ? {} : null)
    });
    this._add((chosen.value ?? []).map(({ path }) => path));
  }

  private async _save(): Promise<void> {
    if (this._document.model.dirty) {
      await this._document.save();
    }
  }

  /** The schedule, as the file has it, is the one that fires. */
  private async _activate(schedule: string): Promise<void> {
    const { api, trans } = this._context;
    try {
      await this._save();
      const { items } = await api.addSchedule({ path: this.path, name: schedule });
      for (const { name, is_paused: isPaused } of items) {
        this._context.say(
          isPaused
            ? trans.__('%1 is paused: it fires once somebody resumes it', name)
            : trans.__('%1 runs by itself from now on', name)
        );
      }
    } catch (error) {
      this._context.report(error);
    }
  }

  private async _run(): Promise<void> {
    try {
      await this._save();
      this._context.navigation.showPipeline(this.path, true);
      this._context.app.shell.activateById('jupyter-mlops-panel');
    } catch (error) {
      this._context.report(error);
    }
  }

  private readonly _slots = new Set<(paths: string[]) => void>();
  private readonly _dropped = {
    connect: (slot: (paths: string[]) => void): (() => void) => {
      this._slots.add(slot);
      return () => this._slots.delete(slot);
    }
  };
}

const DRAG_EVENTS = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];

/** The notebooks among what is dragged. */
function notebooksOf(data: MimeData): string[] {
  const paths: unknown = data.hasData(CONTENTS) ? data.getData(CONTENTS) : [];
  return Array.isArray(paths)
    ? paths.filter((path): path is string => typeof path === 'string' && path.endsWith('.ipynb'))
    : [];
}
