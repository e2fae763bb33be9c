/** The form beside the picture: one task, all of its settings. What a field says goes into the text as an edit. */
import type { ReactElement } from 'react';

import { Fold } from '../components/pieces';
import type { ILanguage } from '../language';
import type { Parameter } from '../types';
import { offers } from './arguments';
import { Choice, Entry } from './fields';
import { Arguments, Before, Notes, upstream } from './inputFields';
import * as operations from './operations';
import type { IOutline, IPlaced, ITask } from './outline';
import { shown, typed } from './scalars';
import type { Plain } from './values';

/** Makes a new text of the old one; what it throws is shown. */
export type Edit = (change: (text: string) => string) => boolean;

export interface ITaskForm {
  pipeline: IOutline;
  task: ITask;
  parameters: readonly Parameter[];
  problems: readonly IPlaced[];
  isReadOnly: boolean;
  trans: { __: (text: string, ...values: unknown[]) => string };
  edit: Edit;
  onRename: (to: string) => void;
  onRemove: () => void;
  onOpen: () => void;
}

const RUN_IF = [
  'all_success',
  'all_done',
  'none_failed',
  'at_least_one_success',
  'all_failed',
  'at_least_one_failed'
];

/** See the module. */
export function TaskForm(props: ITaskForm): ReactElement {
  const { task, trans, edit, isReadOnly, pipeline } = props;
  const { settings } = task;
  const of = (...keys: string[]): IPlaced[] =>
    props.problems.filter(({ key }) => keys.some(one => key === one || key.startsWith(`${one}.`)));
  const set = (path: string[]) => (text: string) =>
    void edit(source => operations.setSetting(source, task.name, path, value(text)));
  const fields = { isDisabled: isReadOnly };
  const usual = (key: string): string => shown(pipeline.defaults[key]);
  return (
    <div className="jp-mlops-TaskForm">
      <header>
        <h3 title={task.name}>{task.name}</h3>
        <button
          title={trans.__('Open notebook')}
          className="jp-mlops-Button jp-mod-quiet"
          disabled={!task.notebook}
          onClick={props.onOpen}
        >
          {trans.__('Open')}
        </button>
        {!isReadOnly && (
          <button className="jp-mlops-Button jp-mod-quiet jp-mod-danger" onClick={props.onRemove}>
            {trans.__('Remove')}
          </button>
        )}
      </header>
      <Notes problems={elsewhere(props)} />
      <Entry label={trans.__('Name')} value={task.name} {...fields} onCommit={props.onRename} />
      <Entry
        label={trans.__('Notebook')}
        value={task.notebook}
        problems={of('notebook')}
        {...fields}
        onCommit={set(['notebook'])}
      />
      <Entry
        label={trans.__('Description')}
        value={task.description}
        isLong
        {...fields}
        onCommit={set(['description'])}
      />
      <Fold title={trans.__('Parameters')} count={Object.keys(task.parameters).length} isOpen>
        <Arguments {...props} problems={of('parameters')} />
      </Fold>
      <Fold title={trans.__('Comes after')} count={upstream(pipeline, task).length} isOpen>
        <Before {...props} problems={of('needs')} />
      </Fold>
      <Fold
        title={trans.__('Condition')}
        isOpen={'when' in settings || 'run_if' in settings || of('when', 'run_if').length > 0}
      >
        <Entry
          label={trans.__('Only when')}
          value={shownText(settings.when)}
          placeholder="tasks.compare.results.auc > 0.6"
          help={trans.__('The task is skipped unless this holds.')}
          problems={of('when')}
          isCode
          {...fields}
          onCommit={text =>
            void edit(source =>
              operations.setSetting(source, task.name, ['when'], text.trim() || undefined)
            )
          }
        />
        <Choice
          label={trans.__('Tasks before must')}
          value={shownText(settings.run_if)}
          choices={[
            ['', trans.__('all have succeeded')],
            ...RUN_IF.slice(1).map(one => [one, runIf(one, trans)] as const)
          ]}
          {...fields}
          onCommit={set(['run_if'])}
        />
      </Fold>
      <Fold
        title={trans.__('Resources')}
        isOpen={'resources' in settings || of('resources').length > 0}
      >
        <Resources {...props} of={of} />
      </Fold>
      <Fold
        title={trans.__('Attempts, time and cache')}
        isOpen={
          ['retries', 'timeout', 'cache'].some(key => key in settings) ||
          of('retries', 'timeout', 'cache').length > 0
        }
      >
        <div className="jp-mlops-TaskForm-pair">
          <Entry
            label={trans.__('Retries')}
            value={shown(retries(settings).limit)}
            placeholder={shown(retries(pipeline.defaults).limit ?? 0)}
            problems={of('retries')}
            {...fields}
            onCommit={text =>
              void edit(source => operations.setRetries(source, task.name, 'limit', value(text)))
            }
          />
          <Entry
            label={trans.__('Delay')}
            value={shown(retries(settings).delay)}
            placeholder={shown(retries(pipeline.defaults).delay) || '0s'}
            {...fields}
            onCommit={text =>
              void edit(source => operations.setRetries(source, task.name, 'delay', value(text)))
            }
          />
        </div>
        <div className="jp-mlops-TaskForm-pair">
          <Entry
            label={trans.__('Time limit')}
            value={shown(settings.timeout)}
            placeholder={usual('timeout') || trans.__('none')}
            problems={of('timeout')}
            {...fields}
            onCommit={set(['timeout'])}
          />
          <Choice
            label={trans.__('Cache')}
            value={shown(settings.cache)}
            choices={[
              ['', trans.__('as usual')],
              ['true', trans.__('yes')],
              ['false', trans.__('never')]
            ]}
            {...fields}
            onCommit={set(['cache'])}
          />
        </div>
      </Fold>
      <Fold
        title={trans.__('Many at once')}
        isOpen={'matrix' in settings || 'map' in settings || of('matrix', 'map').length > 0}
      >
        <Entry
          label={trans.__('Matrix')}
          value={shown(settings.matrix)}
          placeholder="{model: [a, b]}"
          help={trans.__('Runs once for each combination; ${matrix.model} is its value.')}
          problems={of('matrix')}
          isCode
          {...fields}
          onCommit={set(['matrix'])}
        />
        <Entry
          label={trans.__('Map over')}
          value={shown(settings.map)}
          placeholder="${tasks.pull.results.airports}"
          help={trans.__('Runs once for each item of a list; ${item} is the item.')}
          offers={offers(pipeline, task.name)}
          problems={of('map')}
          isCode
          {...fields}
          onCommit={set(['map'])}
        />
      </Fold>
    </div>
  );
}

const SHOWN = [
  'notebook',
  'parameters',
  'needs',
  'when',
  'run_if',
  'resources',
  'retries',
  'timeout',
  'cache',
  'matrix',
  'map'
];

/** The problems that no field of the form shows. */
function elsewhere({ problems }: ITaskForm): IPlaced[] {
  return problems.filter(({ key }) => key === 'parameters' || !SHOWN.includes(key.split('.')[0]));
}

function Resources(props: ITaskForm & { of: (...keys: string[]) => IPlaced[] }): ReactElement {
  const { task, trans, edit, pipeline } = props;
  const given = (task.settings.resources ?? {}) as Plain;
  const usual = (pipeline.defaults.resources ?? {}) as Plain;
  const labels: [string, string, string][] = [
    ['cpu', trans.__('Cores'), '1'],
    ['memory', trans.__('Memory'), '4Gi'],
    ['gpu', trans.__('GPUs'), '0'],
    ['accelerator', trans.__('Kind of GPU'), 'a100'],
    ['image', trans.__('Image'), trans.__('for containers')]
  ];
  return (
    <div className="jp-mlops-TaskForm-pair">
      {labels.map(([key, label, example]) => (
        <Entry
          key={key}
          label={label}
          value={shown(given[key])}
          placeholder={shown(usual[key]) || example}
          problems={props.of(`resources.${key}`)}
          isDisabled={props.isReadOnly}
          onCommit={text =>
            void edit(source =>
              operations.setSetting(source, task.name, ['resources', key], value(text))
            )
          }
        />
      ))}
      <Choice
        label={trans.__('Spot')}
        value={shown(given.spot)}
        choices={[
          ['', trans.__('as usual')],
          ['true', trans.__('may be taken away')],
          ['false', trans.__('no')]
        ]}
        problems={props.of('resources.spot')}
        isDisabled={props.isReadOnly}
        onCommit={text =>
          void edit(source =>
            operations.setSetting(source, task.name, ['resources', 'spot'], value(text))
          )
        }
      />
    </div>
  );
}

/** What a setting's field says; nothing takes the setting away. */
function value(text: string): unknown {
  return text.trim() === '' ? undefined : typed(text);
}

function shownText(setting: unknown): string {
  return typeof setting === 'string' ? setting : shown(setting);
}

function retries(settings: Plain): Plain {
  const given = settings.retries;
  return given !== null && typeof given === 'object' ? (given as Plain) : { limit: given };
}

function runIf(word: string, trans: Pick<ILanguage, '__'>): string {
  switch (word) {
    case 'all_done':
      return trans.__('all have ended, however');
    case 'none_failed':
      return trans.__('none has failed');
    case 'at_least_one_success':
      return trans.__('at least one has succeeded');
    case 'all_failed':
      return trans.__('all have failed');
    case 'at_least_one_failed':
      return trans.__('at least one has failed');
    default:
      return word.replace(/_/g, ' ');
  }
}
