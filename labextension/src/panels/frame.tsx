/** The sidebar panel: a tab for each section, one line when the server is away, and the section that is shown. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { type KeyboardEvent, type ReactElement, useEffect, useReducer, useRef } from 'react';
import { useConnection } from '../hooks';
import { mlopsIcon } from '../icons';
import type { Model } from '../model';
import { SECTIONS } from '../sections';
import type { IContext } from '../tokens';

/** The widget for the left area. */
export function createPanel(context: IContext): ReactWidget {
  const panel = ReactWidget.create(<Frame context={context} />);
  panel.id = 'jupyter-mlops-panel';
  panel.title.icon = mlopsIcon;
  panel.title.caption = context.trans.__('MLOps: pipelines, runs, models, features');
  panel.addClass('jp-mlops');
  panel.addClass('jp-mlops-Panel');
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', context.trans.__('MLOps'));
  return panel;
}

function Frame({ context }: { context: IContext }): ReactElement {
  const { navigation, trans } = context;
  const [, update] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    navigation.changed.connect(update);
    return () => void navigation.changed.disconnect(update);
  }, [navigation]);
  const sections = [...SECTIONS].sort((a, b) => a.rank - b.rank);
  const shown = sections.find(({ id }) => id === navigation.section) ?? sections[0];
  const list = useRef<HTMLDivElement>(null);

  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step) {
      const at = (sections.indexOf(shown) + step + sections.length) % sections.length;
      navigation.showSection(sections[at].id);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[at].focus();
    }
  };

  return (
    <>
      <div className="jp-mlops-Tabs" role="tablist" aria-label={trans.__('Sections')} ref={list}>
        {sections.map(({ id, title, icon }) => (
          <button
            key={id}
            role="tab"
            id={`jp-mlops-tab-${id}`}
            aria-selected={id === shown.id}
            aria-controls="jp-mlops-section"
            title={title()}
            tabIndex={id === shown.id ? 0 : -1}
            onClick={() => navigation.showSection(id)}
            onKeyDown={onKey}
          >
            <icon.react tag="span" className="jp-mlops-Tabs-icon" />
            <span className="jp-mlops-Tabs-word">{title()}</span>
          </button>
        ))}
      </div>
      <Banner model={context.model} trans={trans} />
      <div
        className="jp-mlops-Section"
        id="jp-mlops-section"
        role="tabpanel"
        aria-labelledby={`jp-mlops-tab-${shown.id}`}
        key={shown.id}
      >
        {shown.createBody(context)}
      </div>
    </>
  );
}

/** One line that says what is wrong with the server, and that nothing need be done about it. */
export function Banner(props: { model: Model; trans: IContext['trans'] }): ReactElement | null {
  const { model, trans } = props;
  const connection = useConnection(model);
  if (connection === 'missing') {
    return (
      <div className="jp-mlops-Banner jp-mod-missing" role="alert">
        <span>
          {trans.__('This server has no MLOps extension: ')}
          <code>jupyter server extension enable jupyter_mlops</code>
        </span>
        <button className="jp-mlops-Button jp-mod-quiet" onClick={() => void model.refresh()}>
          {trans.__('Look again')}
        </button>
      </div>
    );
  }
  if (connection === 'lost') {
    return (
      <div className="jp-mlops-Banner jp-mod-lost" role="status">
        <span className="jp-mlops-Banner-pulse" />
        {trans.__('Connection lost, trying again…')}
      </div>
    );
  }
  return null;
}
