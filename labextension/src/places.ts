/**
 * Where our tabs are shown. JupyterLab's main area takes many; of Notebook 7's pages only the one with the files does,
 * as its own tabs. From a page that holds one document a tab opens in a page of its own, like every document there.
 */
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { TabPanel, type Widget } from '@lumino/widgets';
import type { Args } from './tokens';

/** What a tab is: its kind in `tabs.ts`, and what it is about. */
export interface ITold {
  readonly kind: string;
  readonly args: Args;
}

/** Somewhere on this page that takes tabs. */
export interface IPlace {
  add(widget: Widget): void;
  show(widget: Widget): void;
}

/** The place for tabs on this page; null where it has none. */
export function findPlace(app: JupyterFrontEnd, lab: ILabShell | null): IPlace | null {
  if (lab) {
    return {
      add: widget => lab.add(widget, 'main'),
      show: widget => lab.activateById(widget.id)
    };
  }
  for (const widget of app.shell.widgets('main')) {
    if (widget instanceof TabPanel) {
      return {
        add: added => widget.addWidget(added),
        show: shown => void (widget.currentWidget = shown)
      };
    }
  }
  return null;
}

/** Show a tab in a page of its own. False where the browser does not let us. */
export function openPage(told: ITold): boolean {
  const page = URLExt.join(PageConfig.getBaseUrl(), 'tree');
  return window.open(page + askFor(told), '_blank') !== null;
}

/** A page's query, by which it opens with a tab. */
export function askFor(told: ITold): string {
  return URLExt.objectToQueryString({ [QUERY]: JSON.stringify(told) });
}

/** The tab that a page was opened for; null if none, or if it makes no sense. */
export function askedFor(search: string): ITold | null {
  try {
    const { kind, args } = JSON.parse(new URLSearchParams(search).get(QUERY) ?? '') as ITold;
    const isPlain = Object.values(args).every(value => typeof value === 'string');
    return typeof kind === 'string' && isPlain ? { kind, args } : null;
  } catch {
    return null;
  }
}

const QUERY = 'mlops-tab';
