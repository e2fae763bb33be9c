/** Small things that every section uses. */
import { type ReactElement, type ReactNode, useState } from 'react';
import type { IPage, Problem } from '../types';

/** What is said where there is nothing to show: one line, and what to do about it. */
export function Empty(props: { title: string; children?: ReactNode }): ReactElement {
  return (
    <div className="jp-mlops-Empty">
      <div className="jp-mlops-Empty-title">{props.title}</div>
      {props.children && <div>{props.children}</div>}
    </div>
  );
}

/** While the first answer is awaited. Nothing for the first moments: most answers are quick, and a flash disturbs. */
export function Waiting({ label }: { label: string }): ReactElement {
  return (
    <div className="jp-mlops-Waiting" role="status">
      <span className="jp-mlops-Waiting-bar" />
      <span className="jp-mlops-hidden">{label}</span>
    </div>
  );
}

/** An error where it belongs: the message, and how to mend it. */
export function Failure(props: {
  error: Error;
  onRetry?: () => void;
  retry?: string;
}): ReactElement {
  const hint = 'hint' in props.error ? String(props.error.hint) : '';
  return (
    <div className="jp-mlops-Failure" role="alert">
      <div>{props.error.message}</div>
      {hint && <div className="jp-mlops-hint">{hint}</div>}
      {props.onRetry && (
        <button className="jp-mlops-Button jp-mod-quiet" onClick={props.onRetry}>
          {props.retry}
        </button>
      )}
    </div>
  );
}

/** Everything that is wrong, each with its place and its cure. */
export function Problems({ problems }: { problems: readonly Problem[] }): ReactElement | null {
  if (!problems.length) {
    return null;
  }
  return (
    <ul className="jp-mlops-Problems">
      {problems.map((problem, index) => (
        <li key={index} className={`jp-mod-${problem.severity}`}>
          <span className="jp-mlops-Problems-sign" role="img" aria-label={problem.severity}>
            {problem.severity === 'warning' ? '▲' : '✘'}
          </span>
          <div>
            {problem.where && <span className="jp-mlops-Problems-where">{problem.where}</span>}
            {problem.message}
            {problem.hint && <div className="jp-mlops-hint">{problem.hint}</div>}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** A field to search with. */
export function Search(props: {
  value: string;
  label: string;
  onChange: (value: string) => void;
}): ReactElement {
  return (
    <input
      className="jp-mlops-Input jp-mlops-Search"
      type="search"
      value={props.value}
      placeholder={props.label}
      aria-label={props.label}
      spellCheck={false}
      onChange={event => props.onChange(event.target.value)}
      onKeyDown={event => event.key === 'Escape' && props.onChange('')}
    />
  );
}

/** `1–50 of 10,000`, and the ways on and back; nothing where one page holds all. */
export function Pager(props: {
  page: IPage<unknown>;
  labels: { previous: string; next: string };
  onTurn: (offset: number) => void;
}): ReactElement | null {
  const { offset, limit, total, items } = props.page;
  if (total <= limit && !offset) {
    return null;
  }
  return (
    <nav className="jp-mlops-Pager">
      <button
        className="jp-mlops-Button jp-mod-quiet"
        disabled={!offset}
        aria-label={props.labels.previous}
        onClick={() => props.onTurn(Math.max(0, offset - limit))}
      >
        ‹
      </button>
      <span>
        {items.length
          ? `${(offset + 1).toLocaleString('en')}–${(offset + items.length).toLocaleString('en')}`
          : 0}{' '}
        / {total.toLocaleString('en')}
      </span>
      <button
        className="jp-mlops-Button jp-mod-quiet"
        disabled={offset + items.length >= total}
        aria-label={props.labels.next}
        onClick={() => props.onTurn(offset + limit)}
      >
        ›
      </button>
    </nav>
  );
}

/** A name and its value, in a list of such. */
export function Fact(props: { name: string; children: ReactNode }): ReactElement {
  return (
    <>
      <dt title={props.name}>{props.name}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

/** A part that folds. It opens where there is a reason to; closed it is by people only, who may be in the midst of it. */
export function Fold(props: {
  title: string;
  count?: number;
  /** What can be told of it while it is folded. */
  note?: string;
  isOpen?: boolean;
  children: ReactNode;
}): ReactElement {
  const [isOpen, setOpen] = useState(props.isOpen ?? false);
  if (props.isOpen && !isOpen) {
    setOpen(true);
  }
  return (
    <details className="jp-mlops-Fold" open={isOpen}>
      <summary>
        {props.title}
        {props.count !== undefined && <span className="jp-mlops-count">{props.count}</span>}
        {props.note && <span className="jp-mlops-Fold-note">{props.note}</span>}
      </summary>
      <div className="jp-mlops-Fold-body">{props.children}</div>
    </details>
  );
}
