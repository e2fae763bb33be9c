/** What a line between two tasks stands for: asked when it is drawn, shown when it is picked. */
import { type ReactElement, useState } from 'react';

import { Fact } from '../components/pieces';
import type { Parameter } from '../types';
import { gives } from './arguments';
import { Choice, Entry } from './fields';
import type { IConnection, IOutline } from './outline';

type Trans = { __: (text: string, ...values: unknown[]) => string };

export interface IConnectForm {
  pipeline: IOutline;
  source: string;
  target: string;
  /** Of the later task's notebook. */
  parameters: readonly Parameter[];
  trans: Trans;
  onConnect: (given?: { parameter: string; reference: string }) => void;
  onCancel: () => void;
}

/** What goes along a new line: nothing, a result or an artifact, and for which parameter. */
export function ConnectForm(props: IConnectForm): ReactElement {
  const { pipeline, source, target, trans } = props;
  const task = pipeline.tasks.find(({ name }) => name === target);
  const names = [
    ...new Set([
      ...props.parameters.map(({ name }) => name),
      ...Object.keys(task?.parameters ?? {})
    ])
  ];
  const free = names.filter(name => !(name in (task?.parameters ?? {})));
  const required = props.parameters.find(one => one.is_required && free.includes(one.name));
  const [kind, setKind] = useState(required ? 'artifacts' : 'needs');
  const [parameter, setParameter] = useState(required?.name ?? free[0] ?? names[0] ?? '');
  const [name, setName] = useState('');
  const known = gives(pipeline, source)
    .map(reference => /\.(results|artifacts)\.([\w-]+)\}$/.exec(reference))
    .filter(found => found?.[1] === kind)
    .map(found => found![2]);
  // Many notebooks name a parameter after the artifact that it takes.
  const word = name || known.find(one => one === parameter) || known[0] || parameter;
  const reference =
    kind === 'state' ? `\${tasks.${source}.state}` : `\${tasks.${source}.${kind}.${word}}`;
  const isReady =
    kind === 'needs' || (parameter !== '' && (kind === 'state' || /^[\w-]+$/.test(word)));
  return (
    <form
      className="jp-mlops-ConnectForm"
      onSubmit={event => {
        event.preventDefault();
        props.onConnect(kind === 'needs' ? undefined : { parameter, reference });
      }}
      onKeyDown={event => event.key === 'Escape' && props.onCancel()}
    >
      <header>
        <h3>{trans.__('%1 → %2', source, target)}</h3>
      </header>
      <Choice
        label={trans.__('What goes along')}
        value={kind}
        choices={[
          ['artifacts', trans.__('an artifact')],
          ['results', trans.__('a result')],
          ['state', trans.__('how it ended')],
          ['needs', trans.__('nothing, only the order')]
        ]}
        onCommit={setKind}
      />
      {(kind === 'artifacts' || kind === 'results') && (
        <Entry
          label={
            kind === 'artifacts'
              ? trans.__('Artifact of %1', source)
              : trans.__('Result of %1', source)
          }
          value={name}
          placeholder={word}
          offers={known}
          onCommit={setName}
        />
      )}
      {kind !== 'needs' &&
        (names.length > 0 ? (
          <Choice
            label={trans.__('For the parameter')}
            value={parameter}
            choices={names.map(
              one => [one, free.includes(one) ? one : trans.__('%1 (has a value)', one)] as const
            )}
            onCommit={setParameter}
          />
        ) : (
          <Entry label={trans.__('For the parameter')} value={parameter} onCommit={setParameter} />
        ))}
      {kind !== 'needs' && (
        <pre className="jp-mlops-ConnectForm-preview">{`${parameter || '…'}: ${reference}`}</pre>
      )}
      <div className="jp-mlops-Form-buttons">
        <button type="button" className="jp-mlops-Button" onClick={props.onCancel}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-mlops-Button jp-mod-primary" disabled={!isReady}>
          {trans.__('Connect')}
        </button>
      </div>
    </form>
  );
}

/** Why one task waits for another. */
export function EdgeForm(props: {
  connection: IConnection;
  isReadOnly: boolean;
  trans: Trans;
  onRemove: () => void;
}): ReactElement {
  const { connection, trans } = props;
  return (
    <div className="jp-mlops-TaskForm">
      <header>
        <h3>{trans.__('%1 → %2', connection.source, connection.target)}</h3>
        {!props.isReadOnly && (
          <button className="jp-mlops-Button jp-mod-quiet jp-mod-danger" onClick={props.onRemove}>
            {trans.__('Disconnect')}
          </button>
        )}
      </header>
      <p className="jp-mlops-muted">
        {trans.__('%1 waits for %2 because of:', connection.target, connection.source)}
      </p>
      <dl className="jp-mlops-Facts">
        {connection.reasons.map(({ key, text }) => (
          <Fact
            key={key}
            name={key === 'needs' ? trans.__('the order') : key.replace(/^parameters\./, '')}
          >
            {key === 'needs' ? trans.__('it only comes after') : <code>{text}</code>}
          </Fact>
        ))}
      </dl>
    </div>
  );
}
