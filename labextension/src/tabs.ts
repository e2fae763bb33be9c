/**
 * The kinds of main-area tabs. Each is a chunk of its own, loaded when the first tab of the kind is opened.
 *
 * To add one: a module in a folder of your own that exports `create(context, args): ReactElement`, and an entry here:
 *
 *     model: {icon: modelsIcon, title: args => args.name, load: () => import('./models/modelTab')}
 *
 * `context.open('model', {name: 'late-flights'})` then opens it; the same kind with the same arguments is shown
 * instead of opened again, and tabs come back when the page is reloaded. A tab lives in a node with the class
 * `jp-mlops-Tab`, which scrolls and gives it its padding; see `sections.ts` for data, text and style.
 * Documents (the pipeline editor) are widget factories, not tabs: their plugin goes into the list in `index.ts`.
 */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import {
  compareIcon,
  computeIcon,
  deploymentsIcon,
  featuresIcon,
  modelsIcon,
  notebookIcon,
  pipelinesIcon,
  runsIcon,
  schedulesIcon
} from './icons';
import { trans } from './language';
import type { Args, IContext } from './tokens';

export interface ITab {
  readonly icon: LabIcon;
  /** The tab's title, from its arguments alone. */
  title(args: Args): string;
  load(): Promise<{ create(context: IContext, args: Args): ReactElement }>;
}

export const TABS: Readonly<Record<string, ITab>> = {
  run: {
    icon: runsIcon,
    title: args => args.title ?? args.runId,
    load: () => import('./panels/run')
  },
  compare: {
    icon: compareIcon,
    title: () => trans.__('Compare runs'),
    load: () => import('./panels/compare')
  },
  notebook: {
    icon: notebookIcon,
    title: args => trans.__('%1 · executed', args.task),
    load: () => import('./panels/notebook')
  },
  schedule: {
    icon: schedulesIcon,
    title: args => args.name,
    load: () => import('./schedules/scheduleTab')
  },
  deployment: {
    icon: deploymentsIcon,
    title: args => args.name,
    load: () => import('./deployments/deploymentTab')
  },
  cost: {
    icon: computeIcon,
    title: args => trans.__('%1 · cost', args.title ?? args.path),
    load: () => import('./costs/costTab')
  },
  dockerize: {
    icon: deploymentsIcon,
    title: args =>
      trans.__('%1 · image', args.target.split('/').slice(-2).join('/').replace('models:/', '')),
    load: () => import('./promotion/dockerizeTab')
  },
  export: {
    icon: pipelinesIcon,
    title: args => trans.__('%1 · export', args.path.split('/').slice(-2).join('/')),
    load: () => import('./promotion/exportTab')
  },
  model: { icon: modelsIcon, title: args => args.name, load: () => import('./models/modelTab') },
  feature: {
    icon: featuresIcon,
    title: args => args.name,
    load: () => import('./features/featureTab')
  }
};
