/** Two runs side by side. */
import type { ReactElement } from 'react';
import type { Args, IContext } from '../tokens';

export function create(_: IContext, args: Args): ReactElement {
  return <div>{args.left}</div>;
}
