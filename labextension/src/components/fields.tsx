/** Plain fields of forms that no parameter describes: a line of text, a choice. */
import { type ReactElement, useId } from 'react';

export function Line(props: {
  label: string;
  value: string;
  list?: string;
  placeholder?: string;
  type?: 'text' | 'number';
  onChange: (value: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="jp-mlops-Field">
      <label htmlFor={id} className="jp-mlops-Field-name">
        {props.label}
      </label>
      <input
        id={id}
        className="jp-mlops-Input"
        type={props.type ?? 'text'}
        value={props.value}
        list={props.list}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        onChange={event => props.onChange(event.target.value)}
      />
    </div>
  );
}

export function Choice(props: {
  label: string;
  value: string;
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="jp-mlops-Field">
      <label htmlFor={id} className="jp-mlops-Field-name">
        {props.label}
      </label>
      <select
        id={id}
        className="jp-mlops-Input"
        value={props.value}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}
