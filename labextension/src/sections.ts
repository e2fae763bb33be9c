/**
 * The sections of the sidebar panel, in the order of `rank`.
 *
 * To add one: write a React function component in a folder of your own and add an entry to `SECTIONS`.
 *
 *     {id: 'models', title: () => trans.__('Models'), icon: modelsIcon, rank: 30, createBody: createModels}
 *
 * - `createBody` is called once, when the section is first shown; only the shown section is mounted, so what is not
 *   looked at costs nothing. Data comes from `useQuery(context.model, [key], () => context.api.…, kinds)` in
 *   `hooks.ts`: it fetches, fetches again when the server rings for one of `kinds` ('run', 'model', 'feature', …) or
 *   comes back, and never twice at once. Do not poll.
 * - Requests go through `api.ts`, the only file that knows URLs: add the method you need there, at the end.
 * - Text that people read: `context.trans.__('…')`. Errors of a request: `context.report(error)`, or where they belong.
 * - What needs room is a tab: `context.open('model', {name})`, see `tabs.ts`.
 * - Shared pieces: `components/` (`StateMark`, `Empty`, `Problems`, `Search`, `Pager`, `Fact`), `format.ts` (durations,
 *   ages, sizes), `icons.ts`. CSS: classes `jp-mlops-…`, colors only by variables, a file of your own in `style/`
 *   that `style/base.css` imports.
 * - This file is loaded with JupyterLab: what is heavy (charts, the editor) belongs behind `import()` in `tabs.ts`.
 */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { createCompute } from './compute/section';
import { createDeployments } from './deployments/section';
import { createFeatures } from './features/section';
import {
  computeIcon,
  deploymentsIcon,
  featuresIcon,
  modelsIcon,
  pipelinesIcon,
  runsIcon,
  schedulesIcon
} from './icons';
import { trans } from './language';
import { createModels } from './models/section';
import { createPipelines } from './panels/pipelines';
import { createRuns } from './panels/runs';
import { createSchedules } from './schedules/section';
import type { IContext } from './tokens';

export interface ISection {
  readonly id: string;
  title(): string;
  readonly icon: LabIcon;
  readonly rank: number;
  createBody(context: IContext): ReactElement;
}

export const SECTIONS: ISection[] = [
  {
    id: 'pipelines',
    title: () => trans.__('Pipelines'),
    icon: pipelinesIcon,
    rank: 10,
    createBody: createPipelines
  },
  { id: 'runs', title: () => trans.__('Runs'), icon: runsIcon, rank: 20, createBody: createRuns },
  {
    id: 'schedules',
    title: () => trans.__('Schedules'),
    icon: schedulesIcon,
    rank: 25,
    createBody: createSchedules
  },
  {
    id: 'models',
    title: () => trans.__('Models'),
    icon: modelsIcon,
    rank: 30,
    createBody: createModels
  },
  {
    id: 'deployments',
    title: () => trans.__('Deployments'),
    icon: deploymentsIcon,
    rank: 45,
    createBody: createDeployments
  },
  {
    id: 'features',
    title: () => trans.__('Features'),
    icon: featuresIcon,
    rank: 40,
    createBody: createFeatures
  },
  {
    id: 'compute',
    title: () => trans.__('Compute'),
    icon: computeIcon,
    rank: 50,
    createBody: createCompute
  }
];
