/**
 * JupyterLab's own widgets need a browser and a bundler: here is what we use of them, and it keeps what it was told.
 * Import it before what imports them.
 */
import { type ReactElement, createElement } from 'react';
import { Signal } from '@lumino/signaling';
import { instead } from './instead';

export class LabIcon {
  readonly name: string;
  readonly svgstr: string;
  readonly react = ({ className }: { className?: string }): ReactElement =>
    createElement('span', { className, 'data-icon': this.name });

  constructor(about: { name: string; svgstr: string }) {
    this.name = about.name;
    this.svgstr = about.svgstr;
  }
}

/** What a widget of theirs is asked to be. */
export class Widget {
  id = '';
  isDisposed = false;
  readonly title = { label: '', icon: null as LabIcon | null, closable: false, caption: '' };
  readonly classes: string[] = [];
  readonly disposed = new Signal<this, void>(this);
  readonly attributes: Record<string, string> = {};
  readonly node = {
    setAttribute: (name: string, value: string) => void (this.attributes[name] = value)
  };

  addClass(name: string): void {
    this.classes.push(name);
  }

  dispose(): void {
    this.isDisposed = true;
    this.disposed.emit();
  }
}

export class ReactWidget extends Widget {
  static create(element: ReactElement): ReactWidget {
    return new ReactWidget(element);
  }

  constructor(readonly element: ReactElement) {
    super();
  }
}

export class MainAreaWidget extends Widget {
  readonly content: ReactWidget;
  readonly toolbar = { isHidden: false, hide: () => void (this.toolbar.isHidden = true) };

  constructor(about: { content: ReactWidget }) {
    super();
    this.content = about.content;
  }
}

class WidgetTracker {
  private _widgets: Widget[] = [];

  async add(widget: Widget): Promise<void> {
    this._widgets.push(widget);
    widget.disposed.connect(() => {
      this._widgets = this._widgets.filter(one => one !== widget);
    });
  }

  find(fits: (widget: Widget) => boolean): Widget | undefined {
    return this._widgets.find(fits);
  }
}

/** The dialogs that were launched, the last of them at the end. */
export const dialogs: Dialog[] = [];

class Dialog {
  isOpen = false;
  private _close: (reason: unknown) => void = () => undefined;

  constructor(readonly options: { title: string; body: ReactWidget; buttons: unknown[] }) {}

  launch(): Promise<void> {
    this.isOpen = true;
    dialogs.push(this);
    return new Promise((_, reject) => (this._close = reject));
  }

  reject(): void {
    this.isOpen = false;
    this._close(new Error('dismissed'));
  }
}

function TextItem(props: {
  source: string;
  title: string;
  className: string;
  onClick: () => void;
}): ReactElement {
  const { source, ...rest } = props;
  return createElement('span', rest, source);
}

/** A token of a plugin; its name is all that matters here. */
class Token {
  constructor(readonly name: string) {}
}

/** Where our plugins are from, a name is enough of what they ask for. */
const tokens = (...names: string[]): Record<string, Token> =>
  Object.fromEntries(names.map(name => [name, new Token(name)]));

export const notifications: string[] = [];
const Notification = {
  error: (text: string) => void notifications.push(`error: ${text}`),
  emit: (text: string, type: string) => void notifications.push(`${type}: ${text}`)
};

/** English, as it stands in the sources. */
const filled = (text: string, values: unknown[]): string =>
  text.replace(/%(\d+)/g, (_, number) => String(values[Number(number) - 1]));
const english = {
  __: (text: string, ...values: unknown[]) => filled(text, values),
  _n: (one: string, many: string, count: number, ...values: unknown[]) =>
    filled(count === 1 ? one : many, [count, ...values])
};

instead({
  '@jupyterlab/ui-components': { LabIcon, ReactWidget },
  '@jupyterlab/apputils': {
    Dialog,
    MainAreaWidget,
    Notification,
    ReactWidget,
    WidgetTracker,
    ...tokens('ICommandPalette')
  },
  '@jupyterlab/application': tokens('ILabShell', 'ILayoutRestorer'),
  '@jupyterlab/docmanager': tokens('IDocumentManager'),
  '@jupyterlab/docregistry': { ABCWidgetFactory: class {}, DocumentWidget: class {} },
  '@jupyterlab/filebrowser': { FileDialog: {}, ...tokens('IFileBrowserFactory') },
  '@jupyterlab/launcher': tokens('ILauncher'),
  '@jupyterlab/notebook': tokens('INotebookTracker'),
  '@jupyterlab/settingregistry': tokens('ISettingRegistry'),
  '@jupyterlab/statusbar': { TextItem, ...tokens('IStatusBar') },
  '@jupyterlab/translation': {
    nullTranslator: { load: () => english },
    ...tokens('ITranslator')
  }
});
