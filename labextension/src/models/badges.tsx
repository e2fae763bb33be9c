/** An alias and what it names. */
import type { ReactElement } from 'react';
import { trans } from '../language';

export function AliasBadge(props: {
  alias: string;
  version?: number;
  isProtected?: boolean;
}): ReactElement {
  return (
    <span className="jp-mlops-Alias">
      {props.isProtected && (
        <svg
          viewBox="0 0 16 16"
          width="10"
          height="10"
          role="img"
          aria-label={trans.__('protected')}
        >
          <path
            d="M4 7V5a4 4 0 1 1 8 0v2h1v7H3V7zm1.5 0h5V5a2.5 2.5 0 1 0-5 0z"
            fill="currentColor"
          />
        </svg>
      )}
      {props.alias}
      {props.version !== undefined && (
        <span className="jp-mlops-Alias-version">v{props.version}</span>
      )}
    </span>
  );
}
