/** The commands, with what palette, menus, launcher and toolbars show of them. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { RESTORE, type Tabs } from './tabWidget';
import { deploymentsIcon, mlopsIcon, pipelinesIcon, runsIcon } from './icons';
import type { Args, IContext } from './tokens';

export const CommandIDs = {
  openPanel: 'mlops:open-panel',
  openRuns: 'mlops:open-runs',
  openRun: 'mlops:open-run',
  runPipeline: 'mlops:run-pipeline',
  runNotebook: 'mlops:run-notebook',
  addToPipeline: 'mlops:add-to-pipeline',
  dockerize: 'mlops:dockerize',
  exportPipeline: 'mlops:export-pipeline',
  refresh: 'mlops:refresh'
} as const;

export const PALETTE: readonly string[] = [
  CommandIDs.openPanel,
  CommandIDs.openRuns,
  CommandIDs.runNotebook,
  CommandIDs.runPipeline,
  CommandIDs.addToPipeline,
  CommandIDs.dockerize,
  CommandIDs.exportPipeline,
  CommandIDs.refresh
];

/** What the commands need of JupyterLab besides the context. */
export interface ISurroundings {
  readonly panelId: string;
  readonly tabs: Tabs;
  /** The notebook that is being edited, or ''. */
  currentNotebook(): string;
  /** The file that is chosen in the file browser or edited, if it has one of these endings; or ''. */
  currentFile(...endings: string[]): string;
  /** Ask for a notebook's arguments, save it, and run it. */
  runNotebook(path: string): Promise<void>;
  /** Ask for a pipeline, and make the notebook a task of it. */
  addToPipeline(path: string): Promise<void>;
}

export function addCommands(app: JupyterFrontEnd, context: IContext, around: ISurroundings): void {
  const { navigation, trans } = context;
  const add = (
    id: string,
    label: string,
    execute: (args: Args) => unknown,
    more: Partial<Parameters<typeof app.commands.addCommand>[1]> = {}
  ): void => {
    app.commands.addCommand(id, { label, execute: args => execute(args as Args), ...more });
  };
  const pathArgs = (description: string): { args: never } => ({
    args: { type: 'object', properties: { path: { type: 'string', description } } } as never
  });
  const show = (): void => app.shell.activateById(around.panelId);

  add(CommandIDs.openPanel, trans.__('MLOps Panel'), show, {
    icon: mlopsIcon,
    caption: trans.__('Pipelines, runs, models and features')
  });
  add(
    CommandIDs.openRuns,
    trans.__('Show Runs'),
    () => {
      navigation.showSection('runs');
      show();
    },
    { icon: runsIcon }
  );
  add(
    CommandIDs.openRun,
    trans.__('Open Run'),
    ({ runId, title }) => context.open('run', { runId, title }),
    {
      describedBy: {
        args: {
          type: 'object',
          required: ['runId'],
          properties: { runId: { type: 'string' } }
        } as never
      }
    }
  );
  add(
    CommandIDs.runPipeline,
    trans.__('Run Pipeline…'),
    ({ path }) => {
      navigation.showPipeline(path || around.currentFile('pipeline.yaml', 'pipeline.yml'), true);
      show();
    },
    {
      icon: pipelinesIcon,
      describedBy: pathArgs(trans.__('The pipeline file')),
      isVisible: args => !args.isMenu || around.currentFile('pipeline.yaml', 'pipeline.yml') !== ''
    }
  );
  add(
    CommandIDs.runNotebook,
    trans.__('Run as Task'),
    async ({ path }) => {
      const chosen = path || around.currentFile('.ipynb') || around.currentNotebook();
      if (chosen) {
        await around.runNotebook(chosen).catch(error => context.report(error));
      }
    },
    {
      icon: runsIcon,
      caption: trans.__(
        'Run this notebook from top to bottom in a kernel of its own, as a task of the workspace'
      ),
      describedBy: pathArgs(trans.__('The notebook')),
      isEnabled: args =>
        Boolean(args.path || around.currentFile('.ipynb') || around.currentNotebook())
    }
  );
  const notebook = (path?: string): string =>
    path || around.currentFile('.ipynb') || around.currentNotebook();
  add(
    CommandIDs.addToPipeline,
    trans.__('Add to Pipeline…'),
    async ({ path }) => {
      const chosen = notebook(path);
      if (chosen) {
        await around.addToPipeline(chosen).catch(error => context.report(error));
      }
    },
    {
      icon: pipelinesIcon,
      caption: trans.__('Make this notebook a task of a pipeline'),
      describedBy: pathArgs(trans.__('The notebook')),
      isEnabled: args => notebook(args.path as string | undefined) !== ''
    }
  );
  const images = ['.ipynb', 'pipeline.yaml', 'pipeline.yml'];
  add(
    CommandIDs.dockerize,
    trans.__('Make a Container Image…'),
    ({ path }) => {
      const target = path || around.currentFile(...images);
      target && context.open('dockerize', { target });
    },
    {
      icon: deploymentsIcon,
      caption: trans.__('A Dockerfile for this notebook or pipeline, and all that belongs to it'),
      describedBy: pathArgs(trans.__('The notebook, or the pipeline file')),
      isEnabled: args => Boolean(args.path || around.currentFile(...images)),
      isVisible: args => !args.isMenu || around.currentFile(...images) !== ''
    }
  );
  const pipelineFiles = ['pipeline.yaml', 'pipeline.yml'];
  add(
    CommandIDs.exportPipeline,
    trans.__('Export the Pipeline…'),
    ({ path }) => {
      const chosen = path || around.currentFile(...pipelineFiles);
      chosen && context.open('export', { path: chosen });
    },
    {
      icon: pipelinesIcon,
      caption: trans.__('The files of Airflow, Argo, Prefect, Kubeflow or Metaflow'),
      describedBy: pathArgs(trans.__('The pipeline file')),
      isEnabled: args => Boolean(args.path || around.currentFile(...pipelineFiles)),
      isVisible: args => !args.isMenu || around.currentFile(...pipelineFiles) !== ''
    }
  );
  add(CommandIDs.refresh, trans.__('Look at the Server Again'), () => context.model.refresh());
  add(
    RESTORE,
    trans.__('Open MLOps Tab'),
    args => {
      const { kind, args: about } = args as unknown as { kind?: string; args?: Args };
      kind && around.tabs.open(context, kind, about ?? {});
    },
    { isVisible: () => false }
  );
}
