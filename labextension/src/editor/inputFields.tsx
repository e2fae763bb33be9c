/** The parts of a task's form that say what goes into it: arguments, and the tasks before. */
import type { ReactElement } from 'react';

import { argumentRows, argumentValue, offers } from './arguments';
import { Entry } from './fields';
import * as operations from './operations';
import { connections, type IOutline, type IPlaced, type ITask, reach } from './outline';
import type { ITaskForm } from './taskForm';

/** Problems that have no field of their own. */
export function Notes({ problems }: { problems: readonly IPlaced[] }): ReactElement | null {
  return problems.length === 0 ? null : (
    <ul className="jp-mlops-Problems">
      {problems.map((problem, i) => (
        <li key={i} className={`jp-mod-${problem.severity}`}>
          <span className="jp-mlops-Problems-sign" aria-hidden>
            {problem.severity === 'warning' ? '▲' : '✘'}
          </span>
          <div>
            {problem.message}
            {problem.hint && <div className="jp-mlops-hint">{problem.hint}</div>}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What the notebook's parameters are given. */
export function Arguments(props: ITaskForm): ReactElement {
  const { task, trans, pipeline, edit } = props;
  const rows = argumentRows(task, props.parameters);
  const offered = offers(pipeline, task.name);
  return (
    <>
      {rows.map(({ name, parameter, text, isGiven }) => {
        const isMissing = !isGiven && !!parameter?.is_required;
        return (
          <Entry
            key={name}
            label={name}
            note={parameter ? parameter.type + (isMissing ? ' *' : '') : undefined}
            value={text}
            placeholder={parameter?.default_text || (isMissing ? trans.__('required') : '')}
            help={parameter?.help}
            offers={offered}
            problems={props.problems.filter(
              ({ key }) => key === `parameters.${name}` || key.startsWith(`parameters.${name}.`)
            )}
            isDisabled={props.isReadOnly}
            isCode
            onCommit={given =>
              void edit(source =>
                operations.setArgument(source, task.name, name, argumentValue(given, parameter))
              )
            }
            onRemove={
              isGiven
                ? () =>
                    void edit(source => operations.setArgument(source, task.name, name, undefined))
                : undefined
            }
            removeLabel={trans.__('Do not give %1', name)}
          />
        );
      })}
      {!props.isReadOnly && props.parameters.length === 0 && (
        <Entry
          label={trans.__('Another parameter')}
          value=""
          placeholder={trans.__('its name')}
          onCommit={name =>
            /^[A-Za-z_]\w*$/.test(name) &&
            !(name in task.parameters) &&
            edit(source => operations.setArgument(source, task.name, name, ''))
          }
        />
      )}
    </>
  );
}

/** The tasks that one waits for. */
export function upstream(pipeline: IOutline, task: ITask): ReturnType<typeof connections> {
  return connections(pipeline).filter(({ target }) => target === task.name);
}

/** The tasks that one waits for, and ways to change that. */
export function Before(props: ITaskForm): ReactElement {
  const { pipeline, task, trans, edit } = props;
  const before = upstream(pipeline, task);
  const after = reach(pipeline, task.name);
  const taken = new Set(before.map(({ source }) => source));
  const free = pipeline.tasks
    .map(({ name }) => name)
    .filter(name => !taken.has(name) && !after.has(name));
  return (
    <>
      <Notes problems={props.problems} />
      <ul className="jp-mlops-TaskForm-before">
        {before.map(({ source, reasons }) => (
          <li key={source}>
            <span>{source}</span>
            <span
              className="jp-mlops-muted"
              title={reasons.map(({ key, text }) => `${key}: ${text}`).join('\n')}
            >
              {reasons.map(({ key }) => key.replace(/^parameters\./, '')).join(', ')}
            </span>
            {!props.isReadOnly && (
              <button
                className="jp-mlops-Entry-remove"
                aria-label={trans.__('Disconnect from %1', source)}
                title={trans.__('Disconnect from %1', source)}
                onClick={() => edit(text => operations.disconnect(text, source, task.name))}
              >
                ×
              </button>
            )}
          </li>
        ))}
      </ul>
      {!props.isReadOnly && free.length > 0 && (
        <select
          className="jp-mlops-Input"
          aria-label={trans.__('Another task to wait for')}
          value=""
          onChange={event => edit(text => operations.connect(text, event.target.value, task.name))}
        >
          <option value="">{trans.__('wait for another task …')}</option>
          {free.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </>
  );
}
