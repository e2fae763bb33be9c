/** Main-area tabs: made of what `tabs.ts` loads, found again by what they are about, restored with the page. */
import type { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, ReactWidget, WidgetTracker } from '@jupyterlab/apputils';
import { Component, type ReactElement, type ReactNode, Suspense, lazy } from 'react';
import { Failure, Waiting } from './components/pieces';
import { type ITold, askedFor, findPlace, openPage } from './places';
import { TABS } from './tabs';
import type { Args, IContext } from './tokens';

/** What the restorer is told of a tab. */
export const RESTORE = 'mlops:open-tab';

export class Tabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _lab: ILabShell | null
  ) {}

  /** Open a tab, or show the one that is there; in a page of its own where this one has no place for tabs. */
  open(context: IContext, kind: string, args: Args): void {
    const tab = TABS[kind];
    if (!tab) {
      return;
    }
    const place = findPlace(this._app, this._lab);
    if (!place) {
      if (!openPage({ kind, args })) {
        context.report(new Error(context.trans.__('The browser keeps pages from being opened.')));
      }
      return;
    }
    const id = tabId(kind, args);
    const present = this._tracker.find(widget => widget.id === id);
    if (present && (!args.task || args.task === this._told.get(id)?.args.task)) {
      place.show(present);
      return;
    }
    if (present) {
      present.dispose(); // the same run, with another task chosen
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
    widget.toolbar.hide(); // there is nothing in it
    place.add(widget);
    void this._tracker.add(widget);
    place.show(widget);
  }

  /** Open the tab that this page was opened for, if it was. */
  openAsked(context: IContext, search: string): void {
    const told = askedFor(search);
    if (told && findPlace(this._app, this._lab)) {
      this.open(context, told.kind, told.args);
    }
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
