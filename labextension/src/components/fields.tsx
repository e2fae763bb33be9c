/** Plain fields of forms that no parameter describes: a line of text, a choice. What is wrong is told at the field. */
import { type ReactElement, type ReactNode, useId } from 'react';

interface IField {
  label: string;
  /** What it is for. */
  help?: ReactNode;
  /** What is wrong with it. */
  messages?: readonly string[];
}

export function Line(
  props: IField & {
    value: string;
    /** What is offered while somebody types: a text, or a text and what it means. */
    offers?: readonly (string | readonly [string, string])[];
    placeholder?: string;
    type?: 'text' | 'number';
    onChange: (value: string) => void;
  }
): ReactElement {
  const id = useId();
  return (
    <Labelled {...props} id={id}>
      <input
        id={id}
        className="jp-mlops-Input"
        type={props.type ?? 'text'}
        value={props.value}
        list={props.offers?.length ? `${id}-offers` : undefined}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        {...told(id, props)}
        onChange={event => props.onChange(event.target.value)}
      />
      {!!props.offers?.length && (
        <datalist id={`${id}-offers`}>
          {props.offers.map(offer => {
            const [value, words] = typeof offer === 'string' ? [offer, undefined] : offer;
            return (
              <option key={value} value={value}>
                {words}
              </option>
            );
          })}
        </datalist>
      )}
    </Labelled>
  );
}

export function Choice(
  props: IField & {
    value: string;
    choices: readonly (readonly [string, string])[];
    onChange: (value: string) => void;
  }
): ReactElement {
  const id = useId();
  return (
    <Labelled {...props} id={id}>
      <select
        id={id}
        className="jp-mlops-Input"
        value={props.value}
        {...told(id, props)}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.value && !props.choices.some(([value]) => value === props.value) && (
          <option value={props.value}>{props.value}</option>
        )}
        {props.choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function Check(props: {
  label: string;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}): ReactElement {
  const id = useId();
  return (
    <label className="jp-mlops-Check" htmlFor={id}>
      <input
        id={id}
        type="checkbox"
        checked={props.isChecked}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

/** What a screen reader says with a field. */
function told(id: string, { help, messages }: IField): object {
  const notes = [help && `${id}-help`, messages?.length && `${id}-wrong`].filter(Boolean);
  return {
    'aria-invalid': messages?.length ? true : undefined,
    'aria-describedby': notes.join(' ') || undefined
  };
}

function Labelled(props: IField & { id: string; children: ReactNode }): ReactElement {
  const { id, help, messages } = props;
  return (
    <div className={`jp-mlops-Field${messages?.length ? ' jp-mod-wrong' : ''}`}>
      <label htmlFor={id} className="jp-mlops-Field-name">
        {props.label}
      </label>
      {props.children}
      {!!messages?.length && (
        <div className="jp-mlops-Field-wrong" id={`${id}-wrong`} role="alert">
          {messages.join('. ')}
        </div>
      )}
      {help && (
        <div className="jp-mlops-Field-help" id={`${id}-help`}>
          {help}
        </div>
      )}
    </div>
  );
}
