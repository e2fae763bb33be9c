/** The buttons of a form that writes files: to look at what would be written, and to write it. */
import type { ReactElement } from 'react';
import type { IContext } from '../tokens';

export function WriteButtons(props: {
  context: IContext;
  folder: string;
  isBusy: boolean;
  onLook: () => void;
}): ReactElement {
  const { folder, isBusy, onLook } = props;
  const { trans } = props.context;
  return (
    <div className="jp-mlops-Form-buttons">
      <button type="button" className="jp-mlops-Button" disabled={isBusy} onClick={onLook}>
        {trans.__('Only look')}
      </button>
      <button
        type="submit"
        className="jp-mlops-Button jp-mod-primary"
        disabled={isBusy || !folder.trim()}
      >
        {isBusy ? trans.__('Working…') : trans.__('Write')}
      </button>
    </div>
  );
}
