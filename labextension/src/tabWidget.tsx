/** Main-area tabs: made of what `tabs.ts` loads, found again by what they are about, restored with the page. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, ReactWidget, WidgetTracker } from '@jupyterlab/apputils';
import { Component, type ReactElement, type ReactNode, Suspense, lazy } from 'react';
import { Failure, Waiting } from './components/pieces';
import { TABS } from './tabs';
import type { Args, IContext } from './tokens';

/** What the restorer is told of a tab. */
export const RESTORE = 'mlops:open-tab';

interface ITold {
  readonly kind: string;
  readonly args: Args;
}

export class Tabs {
  constructor(private readonly _app: JupyterFrontEnd) {}

  /** Open a tab, or show the one that is there. */
  open(context: IContext, kind: string, args: Args): void {
    const id = tabId(kind, args);
    const present = this._tracker.find(widget => widget.id === id);
    if (present && (!args.task || args.task === this._told.get(id)?.args.task)) {
      this._app.shell.activateById(id);
      return;
    }
    if (present) {
      present.dispose(); // the same run, with another task chosen
    }
    const tab = TABS[kind];
    if (!tab) {
      return;
    }
    const Body = lazy(async () => {
      const { create } = await tab.load();
      return { default: (): ReactElement => create(context, args) };
    });
    const content = ReactWidget.create(
      <Guard>
        <Suspense fallback={<Waiting label={context.trans.__('Loading')} />}>
          <Body />
        </Suspense>
      </Guard>
    );
    content.addClass('jp-mlops');
    content.addClass('jp-mlops-Tab');
    content.addClass(`jp-mod-${kind}`);
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = tab.title(args);
    widget.title.icon = tab.icon;
    widget.title.closable = true;
    this._told.set(id, { kind, args });
    widget.disposed.connect(() => void this._told.delete(id));
    this._app.shell.add(widget, 'main');
    void this._tracker.add(widget);
    this._app.shell.activateById(id);
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tracker, {
      command: RESTORE,
      args: widget => ({ ...this._told.get(widget.id) }) as never,
      name: widget => widget.id
    });
  }

  private readonly _told = new Map<string, ITold>();
  private readonly _tracker = new WidgetTracker<MainAreaWidget<ReactWidget>>({
    namespace: 'jupyter-mlops'
  });
}

/** What a tab is about, without what only decorates it: its title and the task chosen in it. */
export function tabId(kind: string, args: Args): string {
  const about = Object.entries(args).filter(
    ([name]) => name !== 'title' && (name !== 'task' || kind === 'notebook')
  );
  return ['jupyter-mlops', kind, ...about.sort().map(([, value]) => value)].join(':');
}

/** A mistake of ours in one tab stays in it. */
class Guard extends Component<{ children: ReactNode }, { error: Error | null }> {
  state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  render(): ReactNode {
    return this.state.error ? <Failure error={this.state.error} /> : this.props.children;
  }
}
