/** The part of the pipeline's form that says when it runs by itself: the fields of a schedule, over the text of the file. */
import { type ReactElement, useEffect, useState } from 'react';

import { Fold } from '../components/pieces';
import { inALine } from '../components/told';
import { type IScheduleTexts, ScheduleFields } from '../schedules/fields';
import { common, ownZone } from '../schedules/words';
import { Entry } from './fields';
import { Notes } from './inputFields';
import type { IPlaced } from './outline';
import type { IPipelineForm } from './pipelineForm';
import * as schedules from './schedules';
import type { Plain } from './values';

/** The schedule that a problem is about, or ''. */
export function scheduleOf({ task, key }: IPlaced): string {
  return task === '' && key.startsWith('schedules.') ? key.split('.')[1] : '';
}

/** See the module. */
export function Schedules(props: IPipelineForm): ReactElement {
  const { pipeline, trans, edit, isReadOnly } = props;
  const [added, setAdded] = useState('');
  const found = Object.entries(pipeline.schedules);
  return (
    <Fold title={trans.__('Schedules')} count={found.length || undefined} isOpen={found.length > 0}>
      {found.map(([name, settings]) => (
        <OneSchedule
          key={name}
          {...props}
          name={name}
          settings={settings}
          isNew={name === added}
          onRename={setAdded}
        />
      ))}
      {!isReadOnly && (
        <Entry
          label={trans.__('Another schedule')}
          value=""
          placeholder={trans.__('its name')}
          onCommit={name => {
            const isMade = edit(text =>
              schedules.addSchedule(text, name, common(trans)[0][0], ownZone())
            );
            if (isMade) {
              setAdded(name);
            }
            return isMade;
          }}
        />
      )}
    </Fold>
  );
}

function OneSchedule(
  props: IPipelineForm & {
    name: string;
    settings: Plain;
    isNew: boolean;
    onRename: (to: string) => void;
  }
): ReactElement {
  const { context, name, settings, trans, edit, isReadOnly } = props;
  const parameters = schedules.declared(props.pipeline, schedules.argumentsOf(settings));
  const written = schedules.textsOf(settings, parameters);
  const [texts, setTexts] = useState(written);
  // Whoever else changes the text (an undo, another person) changes what is shown.
  useEffect(() => setTexts(written), [JSON.stringify(written)]);
  const problems = props.problems.filter(problem => scheduleOf(problem) === name);
  const told = (key: string): string[] => {
    const whole = `schedules.${name}.${key}`;
    return problems
      .filter(one => one.key === whole || one.key.startsWith(`${whole}.`))
      .map(inALine);
  };
  const fields = [...FIELDS, ...parameters.map(one => `parameters.${one.name}`)];
  const elsewhere = problems.filter(({ key }) => {
    const own = key.split('.').slice(2).join('.');
    return !fields.some(field => own === field || own.startsWith(`${field}.`));
  });
  const commit = (said: IScheduleTexts): void => {
    edit(text => schedules.changeSchedule(text, name, parameters, written, said));
  };
  return (
    <Fold
      title={name}
      note={written.isPaused ? trans.__('paused') : written.cron}
      isOpen={props.isNew || problems.length > 0}
    >
      <Notes problems={elsewhere} />
      <Entry
        label={trans.__('Name')}
        value={name}
        isDisabled={isReadOnly}
        onCommit={to => {
          if (!edit(text => schedules.renameSchedule(text, name, to))) {
            return true;
          }
          props.onRename(to);
          return false;
        }}
        onRemove={() => edit(text => schedules.removeSchedule(text, name))}
        removeLabel={trans.__('Remove the schedule %1', name)}
      />
      <div
        onBlur={() => commit(texts)}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.target as HTMLElement).localName === 'input') {
            commit(texts);
          } else if (event.key === 'Escape') {
            setTexts(written);
          }
        }}
      >
        <ScheduleFields
          context={context}
          parameters={parameters}
          texts={texts}
          told={told}
          isDisabled={isReadOnly}
          onChange={said => {
            setTexts(said);
            // What is typed counts once it is left; what is chosen, at once.
            if (isChosen(texts, said)) {
              commit(said);
            }
          }}
        />
      </div>
      {!isReadOnly && (
        <div className="jp-mlops-Form-buttons">
          <button
            type="button"
            className="jp-mlops-Button"
            title={trans.__('Saves the file; from then on it fires as it is written here.')}
            disabled={problems.length > 0}
            onClick={() => props.onActivate(name)}
          >
            {trans.__('Save and make active')}
          </button>
        </div>
      )}
    </Fold>
  );
}

/** The keys that have fields of their own. */
const FIELDS = [
  'cron',
  'timezone',
  'overlap',
  'catch_up',
  'jitter',
  'start',
  'end',
  'queue',
  'priority'
];

const isChosen = (before: IScheduleTexts, after: IScheduleTexts): boolean =>
  before.overlap !== after.overlap ||
  before.catchUp !== after.catchUp ||
  before.isPaused !== after.isPaused ||
  before.queue.queue !== after.queue.queue ||
  before.queue.isPreemptible !== after.queue.isPreemptible;
