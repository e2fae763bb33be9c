/** The line above the picture: what can be done, and how the pipeline is. */
import type { ReactElement, ReactNode } from 'react';

import type { IPlaced } from './outline';
import type { ISharedText } from './shared';

export interface IToolbar {
  trans: { __: (text: string, ...values: unknown[]) => string };
  shared: ISharedText;
  text: string;
  problems: readonly IPlaced[];
  isFresh: boolean;
  isReadOnly: boolean;
  onAdd: () => void;
  onOpenText: () => void;
  onRun: () => void;
  onProblem: (problem: IPlaced) => void;
}

/** See the module. */
export function Toolbar(props: IToolbar): ReactElement {
  const { trans, shared, problems } = props;
  const errors = problems.filter(({ severity }) => severity !== 'warning').length;
  const first = problems.find(({ severity }) => severity !== 'warning') ?? problems[0];
  const said =
    errors > 0
      ? errors === 1
        ? trans.__('1 problem')
        : trans.__('%1 problems', errors)
      : problems.length > 0
        ? problems.length === 1
          ? trans.__('1 warning')
          : trans.__('%1 warnings', problems.length)
        : trans.__('No problems');
  const kind = errors > 0 ? 'jp-mod-error' : problems.length > 0 ? 'jp-mod-warning' : 'jp-mod-fine';
  return (
    <div
      className="jp-mlops-Editor-toolbar"
      role="toolbar"
      aria-label={trans.__('Pipeline editor')}
    >
      <Button label={trans.__('Add notebook')} isDisabled={props.isReadOnly} onClick={props.onAdd}>
        <path d="M8 3v10M3 8h10" />
      </Button>
      <span className="jp-mlops-Editor-gap" />
      <Button
        label={trans.__('Undo')}
        isBare
        isDisabled={!shared.canUndo()}
        onClick={() => shared.undo()}
      >
        <path d="M6 3.5L3 6.5l3 3M3.2 6.5H9.5a3.5 3.5 0 0 1 0 7H7" />
      </Button>
      <Button
        label={trans.__('Redo')}
        isBare
        isDisabled={!shared.canRedo()}
        onClick={() => shared.redo()}
      >
        <path d="M10 3.5l3 3-3 3M12.8 6.5H6.5a3.5 3.5 0 0 0 0 7H9" />
      </Button>
      <span className="jp-mlops-Editor-gap" />
      <Button label={trans.__('Open as text')} onClick={props.onOpenText}>
        <path d="M3 4h10M3 8h7M3 12h9" />
      </Button>
      <Button label={trans.__('Run…')} isDisabled={errors > 0} onClick={props.onRun}>
        <path d="M5 3.5l7 4.5-7 4.5z" />
      </Button>
      <span className="jp-mlops-Editor-stretch" />
      <button
        className={`jp-mlops-Editor-verdict ${kind}${props.isFresh ? '' : ' jp-mod-stale'}`}
        disabled={!first}
        title={problems.map(({ message }) => message).join('\n')}
        onClick={() => first && props.onProblem(first)}
      >
        <span aria-hidden>{errors > 0 ? '✘' : problems.length > 0 ? '▲' : '✔'}</span>
        {said}
      </button>
    </div>
  );
}

function Button(props: {
  label: string;
  isBare?: boolean;
  isDisabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}): ReactElement {
  return (
    <button
      className="jp-mlops-Button jp-mod-quiet"
      disabled={props.isDisabled}
      aria-label={props.label}
      title={props.isBare ? props.label : undefined}
      onClick={props.onClick}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden className="jp-mlops-Editor-sign">
        {props.children}
      </svg>
      {!props.isBare && props.label}
    </button>
  );
}
