/** An executed notebook, to read: the page that the server makes of it, which runs nothing. */
import type { ReactElement } from 'react';
import type { Args, IContext } from '../tokens';

export function create(context: IContext, args: Args): ReactElement {
  return (
    <iframe
      className="jp-mlops-Notebook"
      sandbox="allow-same-origin allow-popups"
      title={context.trans.__('Executed notebook of %1', args.task)}
      src={context.api.viewUrl(args.runId, args.task)}
    />
  );
}
