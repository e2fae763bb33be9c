/** A state, shown twice: by a color and by a sign. Color alone says nothing to many. */
import type { ReactElement } from 'react';
import { STROKES, counted, tally, word } from '../states';
import type { State } from '../types';

/** The disc with its sign, for use inside another SVG: a box of 16. */
export function StateSign({ state }: { state: State }): ReactElement {
  return (
    <>
      <circle className="jp-mlops-State-disc" cx="8" cy="8" r="7" />
      <path className="jp-mlops-State-sign" d={STROKES[state]} />
    </>
  );
}

/** The disc, by default with its word as a tooltip; `isNamed` writes it beside. */
export function StateMark(props: { state: State; isNamed?: boolean }): ReactElement {
  const said = word(props.state);
  return (
    <span className={`jp-mlops-State jp-mod-${props.state}`} title={said}>
      <svg viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={said}>
        <StateSign state={props.state} />
      </svg>
      {props.isNamed && <span className="jp-mlops-State-word">{said}</span>}
    </span>
  );
}

/** How far a run is: one bar, a piece for each state. */
export function StateBar({ states }: { states: Partial<Record<State, number>> }): ReactElement {
  const parts = [...counted(states)].sort((a, b) => BAR.indexOf(a[0]) - BAR.indexOf(b[0]));
  const said = tally(states);
  return (
    <span
      className="jp-mlops-StateBar"
      role={said ? 'img' : undefined} // of a run without tasks there is nothing to say
      aria-label={said || undefined}
      title={said}
    >
      {parts.map(([state, count]) => (
        <span key={state} className={`jp-mod-${state}`} style={{ flexGrow: count }} />
      ))}
    </span>
  );
}

/** What is done stands on the left, what is to come on the right. */
const BAR: readonly State[] = [
  'succeeded',
  'cached',
  'skipped',
  'failed',
  'upstream_failed',
  'cancelled',
  'running',
  'queued'
];
