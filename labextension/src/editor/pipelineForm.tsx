/** The form beside the picture while no task is picked: the pipeline itself, its parameters and its schedules. */
import type { ReactElement } from 'react';

import { Fold } from '../components/pieces';
import type { IContext } from '../tokens';
import { Entry } from './fields';
import { Notes } from './inputFields';
import type { IOutline, IPlaced } from './outline';
import { shown, typed } from './scalars';
import { Schedules, scheduleOf } from './scheduleForm';
import { put, take } from './source';
import type { Edit } from './taskForm';
import { kindOf, type Plain } from './values';

const TYPES = ['int', 'float', 'str', 'bool', 'list', 'dict', 'date', 'datetime', 'any'];

export interface IPipelineForm {
  context: IContext;
  pipeline: IOutline;
  problems: readonly IPlaced[];
  isReadOnly: boolean;
  trans: { __: (text: string, ...values: unknown[]) => string };
  edit: Edit;
  onActivate: (schedule: string) => void;
}

/** See the module. */
export function PipelineForm(props: IPipelineForm): ReactElement {
  const { pipeline, trans, edit, isReadOnly } = props;
  const set = (key: string) => (text: string) =>
    void edit(source => (text.trim() === '' ? take(source, [key]) : put(source, [key], text)));
  return (
    <div className="jp-mlops-TaskForm">
      <header>
        <h3>{pipeline.name || trans.__('Pipeline')}</h3>
      </header>
      <Notes problems={props.problems.filter(one => !(scheduleOf(one) in pipeline.schedules))} />
      <Entry
        label={trans.__('Name')}
        value={pipeline.name}
        isDisabled={isReadOnly}
        onCommit={set('name')}
      />
      <Entry
        label={trans.__('Description')}
        value={pipeline.description}
        isLong
        isDisabled={isReadOnly}
        onCommit={set('description')}
      />
      <Fold title={trans.__('Parameters')} count={Object.keys(pipeline.parameters).length} isOpen>
        {Object.entries(pipeline.parameters).map(([name, given]) => (
          <OneParameter key={name} name={name} given={given} {...props} />
        ))}
        {!isReadOnly && (
          <Entry
            label={trans.__('Another parameter')}
            value=""
            placeholder={trans.__('its name')}
            onCommit={name =>
              /^[A-Za-z_]\w*$/.test(name) &&
              !(name in pipeline.parameters) &&
              edit(source => put(source, ['parameters', name], { type: 'str', default: '' }))
            }
          />
        )}
      </Fold>
      <Schedules {...props} />
      <p className="jp-mlops-muted jp-mlops-TaskForm-hint">
        {trans.__(
          'Drop notebooks from the file browser to add tasks. Draw from the dot of one task to the next to connect them. Pick a task to edit it.'
        )}
      </p>
    </div>
  );
}

function OneParameter(props: IPipelineForm & { name: string; given: unknown }): ReactElement {
  const { name, given, trans, edit, isReadOnly } = props;
  const isLong = given !== null && typeof given === 'object' && !Array.isArray(given);
  const {
    type,
    default: usual,
    help
  } = isLong ? (given as Plain) : { type: undefined, default: given, help: undefined };
  const path = ['parameters', name];
  const kind = typeof type === 'string' ? type : kindOf(usual);
  const setPart = (key: string, value: unknown): void =>
    void edit(source => {
      if (isLong) {
        return value === undefined
          ? take(source, [...path, key])
          : put(source, [...path, key], value);
      }
      return value === undefined
        ? source
        : put(source, path, { type: kind, default: usual, [key]: value });
    });
  return (
    <Entry
      label={name}
      value={kind === 'str' && typeof usual === 'string' ? usual : shown(usual)}
      placeholder={trans.__('no default: required')}
      help={typeof help === 'string' ? help : undefined}
      isDisabled={isReadOnly}
      isCode
      onCommit={text => {
        const value = text.trim() === '' ? undefined : kind === 'str' ? text : typed(text);
        if (isLong) {
          setPart('default', value);
        } else if (value !== undefined) {
          edit(source => put(source, path, value));
        }
      }}
      onRemove={() => edit(source => take(source, path))}
      removeLabel={trans.__('Remove %1', name)}
      extra={
        <select
          className="jp-mlops-Input jp-mlops-Entry-type"
          aria-label={trans.__('Type of %1', name)}
          value={kind}
          disabled={isReadOnly}
          onChange={event => setPart('type', event.target.value)}
        >
          {TYPES.map(one => (
            <option key={one}>{one}</option>
          ))}
        </select>
      }
    />
  );
}
