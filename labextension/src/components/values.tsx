/** Names and values: arguments, results, options. */
import type { ReactElement } from 'react';
import { brief, plain } from '../format';
import { Fact } from './pieces';

export function Values(props: {
  values: Readonly<Record<string, unknown>>;
  none: string;
}): ReactElement {
  const entries = Object.entries(props.values);
  if (!entries.length) {
    return <div className="jp-mlops-muted">{props.none}</div>;
  }
  return (
    <dl className="jp-mlops-Facts">
      {entries.map(([name, value]) => (
        <Fact key={name} name={name}>
          <span className="jp-mlops-number" title={plain(value)}>
            {brief(value)}
          </span>
        </Fact>
      ))}
    </dl>
  );
}
