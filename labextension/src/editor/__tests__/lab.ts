/**
 * The part of JupyterLab's classes that a document's widget stands on. The real ones come as modules for browsers,
 * with style sheets and pictures, which Node does not load.
 */
import { happen } from './page';
import { type Happening, page, type Tag } from './dom';

class Widget {
  readonly node = page.createElement('div');
  readonly title: Record<string, unknown> = {};
  readonly toolbar = { hide: (): void => void (this.title.isToolbarHidden = true) };
  readonly classes = new Set<string>();
  updates = 0;
  constructor(readonly options?: Record<string, unknown>) {}
  addClass(name: string): void {
    this.classes.add(name);
  }
  removeClass(name: string): void {
    this.classes.delete(name);
  }
  update(): void {
    this.updates++;
  }
  protected onAfterAttach(_: unknown): void {}
  protected onBeforeDetach(_: unknown): void {}
}

/** What people chose in the dialog, and how it was asked. */
export const dialog: { chosen: string[] | null; asked: Record<string, unknown>[] } = {
  chosen: [],
  asked: []
};

const FAKES: Record<string, object> = {
  '@jupyterlab/docregistry': {
    ABCWidgetFactory: class {
      constructor(readonly options: object) {}
    },
    DocumentWidget: Widget
  },
  '@jupyterlab/filebrowser': {
    FileDialog: {
      getOpenFiles: (asked: Record<string, unknown>) => {
        dialog.asked.push(asked);
        return Promise.resolve({ value: dialog.chosen?.map(path => ({ path })) ?? null });
      }
    }
  },
  '@jupyterlab/ui-components': { ReactWidget: Widget, LabIcon: class {} }
};
for (const [name, fake] of Object.entries(FAKES)) {
  const id = require.resolve(name);
  require.cache[id] = { id, filename: id, loaded: true, exports: fake } as NodeModule;
}

/** A drag from the file browser; its event, to see what became of it. */
export function drag(tag: Tag, type: string, data: Record<string, unknown>): Happening {
  const mimeData = {
    hasData: (kind: string) => kind in data,
    getData: (kind: string) => data[kind]
  };
  return happen(tag, type, { mimeData, proposedAction: 'move', dropAction: 'none' });
}
