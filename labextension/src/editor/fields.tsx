/** The controls of the editor's forms: what is typed counts once it is left (or Enter is pressed). */
import { type ReactElement, type ReactNode, useEffect, useId, useState } from 'react';

import { inALine } from '../components/told';
import type { IPlaced } from './outline';

export interface IEntry {
  label: string;
  value: string;
  placeholder?: string;
  /** A word beside the label: the type. */
  note?: string;
  help?: string;
  problems?: readonly IPlaced[];
  /** What is offered while somebody types. */
  offers?: readonly string[];
  isDisabled?: boolean;
  isLong?: boolean;
  isCode?: boolean;
  /** True: the text has gone elsewhere, and the field shows its value again. */
  onCommit: (text: string) => boolean | void;
  onRemove?: () => void;
  removeLabel?: string;
  /** Stands behind the field, in its line. */
  extra?: ReactNode;
}

/** A field of text. */
export function Entry(props: IEntry): ReactElement {
  const id = useId();
  const [text, setText] = useState(props.value);
  useEffect(() => setText(props.value), [props.value]);
  const commit = (): void => {
    if (text !== props.value && props.onCommit(text)) {
      setText(props.value);
    }
  };
  const isWrong = (props.problems ?? []).some(problem => problem.severity !== 'warning');
  const common = {
    id,
    className: `jp-mlops-Input${props.isCode ? ' jp-mod-code' : ''}`,
    value: text,
    placeholder: props.placeholder,
    disabled: props.isDisabled,
    spellCheck: false,
    'aria-invalid': isWrong || undefined,
    'aria-describedby': props.problems?.length ? `${id}-wrong` : undefined,
    onBlur: commit
  };
  return (
    <Labelled {...props} id={id}>
      <div className="jp-mlops-Entry">
        {props.isLong ? (
          <textarea
            {...common}
            rows={rowsOf(text)}
            onChange={event => setText(event.target.value)}
          />
        ) : (
          <input
            {...common}
            type="text"
            autoComplete="off"
            list={props.offers?.length ? `${id}-offers` : undefined}
            onChange={event => setText(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                commit();
              } else if (event.key === 'Escape') {
                setText(props.value);
              }
            }}
          />
        )}
        {props.extra}
      </div>
      {!!props.offers?.length && (
        <datalist id={`${id}-offers`}>
          {props.offers.map(offer => (
            <option key={offer} value={offer} />
          ))}
        </datalist>
      )}
    </Labelled>
  );
}

/** As many lines as a text needs in a narrow column, within bounds. */
function rowsOf(text: string): number {
  const lines = text
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 34)), 0);
  return Math.min(7, Math.max(2, lines));
}

export interface IChoice {
  label: string;
  value: string;
  /** Value → how it is shown. */
  choices: readonly (readonly [string, string])[];
  help?: string;
  problems?: readonly IPlaced[];
  isDisabled?: boolean;
  onCommit: (value: string) => void;
}

/** A field with few answers. */
export function Choice(props: IChoice): ReactElement {
  const id = useId();
  return (
    <Labelled {...props} id={id}>
      <select
        id={id}
        className="jp-mlops-Input"
        value={props.value}
        disabled={props.isDisabled}
        onChange={event => props.onCommit(event.target.value)}
      >
        {!props.choices.some(([value]) => value === props.value) && (
          <option value={props.value}>{props.value}</option>
        )}
        {props.choices.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function Labelled(props: {
  id: string;
  label: string;
  note?: string;
  help?: string;
  problems?: readonly IPlaced[];
  isDisabled?: boolean;
  onRemove?: () => void;
  removeLabel?: string;
  children: ReactNode;
}): ReactElement {
  const problems = props.problems ?? [];
  const isWrong = problems.some(problem => problem.severity !== 'warning');
  return (
    <div
      className={`jp-mlops-Field${isWrong ? ' jp-mod-wrong' : problems.length ? ' jp-mod-warning' : ''}`}
    >
      <div className="jp-mlops-Entry-head">
        <label htmlFor={props.id} className="jp-mlops-Field-name">
          {props.label}
        </label>
        {props.note && <span className="jp-mlops-Field-type">{props.note}</span>}
        {props.onRemove && !props.isDisabled && (
          <button
            type="button"
            className="jp-mlops-Entry-remove"
            title={props.removeLabel}
            aria-label={props.removeLabel}
            onClick={props.onRemove}
          >
            ×
          </button>
        )}
      </div>
      {props.children}
      {problems.length > 0 && (
        <div className="jp-mlops-Field-wrong" id={`${props.id}-wrong`} role="alert">
          {problems.map((problem, i) => (
            <div key={i}>{inALine(problem)}</div>
          ))}
        </div>
      )}
      {props.help && <div className="jp-mlops-Field-help">{props.help}</div>}
    </div>
  );
}
