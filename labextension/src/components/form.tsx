/**
 * The form of a pipeline's or a notebook's parameters.
 *
 * Fields hold text, as the command line does; the server reads it as each parameter's type wants it, so that there is
 * one place that knows what "8 days" is. What a field can tell by itself (a number, a date, a choice) its control tells.
 */
import { type FormEvent, type ReactElement, type ReactNode, useState } from 'react';
import { trans } from '../language';
import { plain } from '../format';
import type { Parameter, Problem } from '../types';
import { Check } from './fields';
import { Problems } from './pieces';
import { inALine } from './told';

export type Texts = Readonly<Record<string, string>>;

/** What is sent: only what differs from the defaults, so that a run says what was chosen. */
export function chosen(parameters: readonly Parameter[], texts: Texts): Record<string, string> {
  const given = parameters.filter(
    ({ name, default_text }) =>
      texts[name] !== undefined && texts[name] !== '' && texts[name] !== default_text
  );
  return Object.fromEntries(given.map(({ name }) => [name, texts[name]]));
}

/** What the form can see by itself, before anything is sent. */
export function misfit(parameter: Parameter, text: string): string {
  const { type, minimum, maximum, is_required: isRequired } = parameter;
  if (text.trim() === '') {
    return isRequired && type !== 'str' ? trans.__('is required') : '';
  }
  if (type !== 'int' && type !== 'float') {
    return '';
  }
  const value = Number(text);
  if (Number.isNaN(value) || (type === 'int' && !Number.isInteger(value))) {
    return parameter.is_optional && text === 'None'
      ? ''
      : type === 'int'
        ? trans.__('must be a whole number')
        : trans.__('must be a number');
  }
  if (minimum !== null && value < minimum) {
    return trans.__('must be at least %1', minimum);
  }
  return maximum !== null && value > maximum ? trans.__('must be at most %1', maximum) : '';
}

export interface IFormProps {
  readonly parameters: readonly Parameter[];
  /** What the server said against it: shown at the fields that it names, the rest above. */
  readonly problems: readonly Problem[];
  readonly error: string;
  readonly isBusy: boolean;
  readonly labels: { submit: string; force: string; none: string; cancel: string };
  readonly initial?: Texts;
  readonly onSubmit: (texts: Record<string, string>, isForced: boolean) => void;
  readonly onCancel?: () => void;
  /** What stands below the parameters. */
  readonly children?: ReactNode;
}

export function Form(props: IFormProps): ReactElement {
  const { parameters, problems } = props;
  const [texts, setTexts] = useState<Texts>(() => ({
    ...Object.fromEntries(parameters.map(({ name, default_text }) => [name, default_text])),
    ...props.initial
  }));
  const [isForced, setForced] = useState(false);
  const [isTried, setTried] = useState(false);
  const names = new Set(parameters.map(({ name }) => name));
  const elsewhere = problems.filter(({ parameter }) => !parameter || !names.has(parameter));
  const misfits = new Map(parameters.map(one => [one.name, misfit(one, texts[one.name] ?? '')]));

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (![...misfits.values()].some(Boolean)) {
      props.onSubmit(chosen(parameters, texts), isForced);
    }
  };

  return (
    <form className="jp-mlops-Form" onSubmit={submit} noValidate>
      {props.error && !problems.length && (
        <div className="jp-mlops-Failure" role="alert">
          {props.error}
        </div>
      )}
      <Problems problems={elsewhere} />
      {!parameters.length && <div className="jp-mlops-muted">{props.labels.none}</div>}
      {parameters.map(parameter => {
        const { name } = parameter;
        const told = problems.filter(problem => problem.parameter === name);
        return (
          <Field
            key={name}
            parameter={parameter}
            text={texts[name] ?? ''}
            messages={[
              ...(isTried && misfits.get(name) ? [misfits.get(name)!] : []),
              ...told.map(inALine)
            ]}
            onChange={text => setTexts(before => ({ ...before, [name]: text }))}
          />
        );
      })}
      {props.children}
      {props.labels.force && (
        <Check label={props.labels.force} isChecked={isForced} onChange={setForced} />
      )}
      <div className="jp-mlops-Form-buttons">
        {props.onCancel && (
          <button type="button" className="jp-mlops-Button" onClick={props.onCancel}>
            {props.labels.cancel}
          </button>
        )}
        <button type="submit" className="jp-mlops-Button jp-mod-primary" disabled={props.isBusy}>
          {props.labels.submit}
        </button>
      </div>
    </form>
  );
}

/** One parameter: its name and type, a control that fits the type, its help, and what is wrong. */
export function Field(props: {
  parameter: Parameter;
  text: string;
  messages: readonly string[];
  /** Of its control; where one form has it once, its name is enough. */
  id?: string;
  /** Its text may be something else than a value of its type, so that no control of that type would take it. */
  isText?: boolean;
  /** What is offered while somebody types text. */
  offers?: readonly string[];
  placeholder?: string;
  onChange: (text: string) => void;
}): ReactElement {
  const { parameter, messages } = props;
  const id = props.id ?? `jp-mlops-field-${parameter.name}`;
  const notes = [parameter.help && `${id}-help`, messages.length && `${id}-wrong`].filter(Boolean);
  return (
    <div className={`jp-mlops-Field${messages.length ? ' jp-mod-wrong' : ''}`}>
      <label htmlFor={id}>
        <span className="jp-mlops-Field-name">{parameter.name}</span>
        <span className="jp-mlops-Field-type">
          {parameter.type}
          {parameter.is_required && parameter.type !== 'bool' ? ' *' : ''}
        </span>
      </label>
      <Control
        {...props}
        id={id}
        isWrong={messages.length > 0}
        notes={notes.join(' ')}
        onChange={props.onChange}
      />
      {messages.length > 0 && (
        <div className="jp-mlops-Field-wrong" id={`${id}-wrong`} role="alert">
          {messages.join('. ')}
        </div>
      )}
      {parameter.help && (
        <div className="jp-mlops-Field-help" id={`${id}-help`}>
          {parameter.help}
        </div>
      )}
    </div>
  );
}

function Control(props: {
  id: string;
  parameter: Parameter;
  text: string;
  isWrong: boolean;
  notes: string;
  isText?: boolean;
  offers?: readonly string[];
  placeholder?: string;
  onChange: (text: string) => void;
}): ReactElement {
  const { parameter, text, isText } = props;
  const common = {
    id: props.id,
    name: parameter.name,
    className: 'jp-mlops-Input',
    'aria-invalid': props.isWrong || undefined,
    'aria-describedby': props.notes || undefined,
    'aria-required': parameter.is_required || undefined
  };
  const choices = choicesOf(parameter);
  if (choices && !isText) {
    return (
      <select {...common} value={text} onChange={event => props.onChange(event.target.value)}>
        {!choices.includes(text) && <option value={text}>{text}</option>}
        {choices.map(choice => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (['list', 'dict', 'tuple', 'set'].includes(parameter.type) || text.includes('\n')) {
    return (
      <textarea
        {...common}
        rows={Math.min(8, text.split('\n').length + 1)}
        value={text}
        spellCheck={false}
        onChange={event => props.onChange(event.target.value)}
      />
    );
  }
  const isNumber = parameter.type === 'int' || parameter.type === 'float';
  const isPlainNumber = isNumber && !parameter.is_optional && !isText;
  const offers = [...(choices ?? []), ...(props.offers ?? [])];
  return (
    <>
      <input
        {...common}
        type={isPlainNumber ? 'number' : parameter.type === 'date' && !isText ? 'date' : 'text'}
        inputMode={isNumber && !isText ? 'decimal' : undefined}
        min={isPlainNumber ? (parameter.minimum ?? undefined) : undefined}
        max={isPlainNumber ? (parameter.maximum ?? undefined) : undefined}
        step={
          isPlainNumber ? (parameter.step ?? (parameter.type === 'int' ? 1 : 'any')) : undefined
        }
        placeholder={parameter.is_secret ? 'secret:NAME' : props.placeholder}
        list={offers.length ? `${props.id}-offers` : undefined}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={event => props.onChange(event.target.value)}
      />
      {offers.length > 0 && (
        <datalist id={`${props.id}-offers`}>
          {offers.map(offer => (
            <option key={offer} value={offer} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** The texts to choose from, of a parameter that has choices or is a yes or no. */
function choicesOf(parameter: Parameter): string[] | null {
  if (parameter.choices) {
    return parameter.choices.map(plain);
  }
  if (parameter.type !== 'bool') {
    return null;
  }
  const isCapital = /^(True|False)$/.test(parameter.default_text);
  return isCapital ? ['True', 'False'] : ['true', 'false'];
}
