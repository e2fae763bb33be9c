/** The tab of a deployment: how it is, who answers which share, its replicas, and its history to go back in. */
import { type ReactElement, useEffect, useState } from 'react';

import { Fact, Failure, Waiting } from '../components/pieces';
import { StateMark } from '../components/state';
import { ago, exactly } from '../format';
import { useNow, useQuery } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { DeploymentDetail } from '../types';
import { byShare, latency, looks, percent, served } from './words';

export const create = (context: IContext, args: Args): ReactElement => (
  <DeploymentTab context={context} name={args.name} />
);

const LOOK_EVERY = 3000; // requests, latency and replicas ring no bell

function DeploymentTab({ context, name }: { context: IContext; name: string }): ReactElement {
  const { api, model, trans } = context;
  const { value, error, refresh } = useQuery(
    model,
    ['deployment', name],
    () => api.deployment(name),
    ['deployment', 'model']
  );
  useEffect(() => {
    const timer = setInterval(() => document.hidden || refresh(), LOOK_EVERY);
    return () => clearInterval(timer);
  }, [refresh]);
  if (value) {
    return <Detail detail={value} context={context} refresh={refresh} />;
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />
  ) : (
    <Waiting label={trans.__('Loading the deployment')} />
  );
}

function Detail(props: {
  detail: DeploymentDetail;
  context: IContext;
  refresh: () => void;
}): ReactElement {
  const { detail, context, refresh } = props;
  const { api, trans } = context;
  const { deployment: one, metrics } = detail;
  const [isSure, setSure] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const now = useNow(true);
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    try {
      await deed();
    } catch (reason) {
      context.report(reason);
    }
    setBusy(false);
    refresh();
  };
  const state = detail.live_state || one.state;
  const isGone = state === 'removed';
  const isOurs = one.target === 'local';
  return (
    <div className="jp-mlops-DeploymentTab">
      <header className="jp-mlops-Tab-head">
        <h1>{one.name}</h1>
        <span className="jp-mlops-DeploymentTab-state" title={detail.live_message || one.message}>
          <StateMark state={looks(state)} />
          {state}
        </span>
        {!isGone && (
          <div className="jp-mlops-Buttons">
            {isOurs && (
              <button
                className="jp-mlops-Button"
                disabled={isBusy}
                onClick={() =>
                  void act(() =>
                    state === 'stopped'
                      ? api.startDeployment(one.name)
                      : api.stopDeployment(one.name)
                  )
                }
              >
                {state === 'stopped' ? trans.__('Start') : trans.__('Stop')}
              </button>
            )}
            <button
              className="jp-mlops-Button"
              disabled={isBusy}
              onBlur={() => setSure(false)}
              onClick={() =>
                isSure ? void act(() => api.removeDeployment(one.name)) : setSure(true)
              }
            >
              {isSure ? trans.__('Take it away for good') : trans.__('Remove')}
            </button>
          </div>
        )}
      </header>
      {(detail.trouble || one.message) && (
        <p className="jp-mlops-Failure" role="alert">
          {detail.trouble || one.message}
        </p>
      )}
      <Traffic traffic={one.traffic} trans={trans} />
      <dl className="jp-mlops-Facts">
        <Fact name={trans.__('answers at')}>{one.url ? <code>{one.url}</code> : '–'}</Fact>
        <Fact name={trans.__('model')}>
          <button
            className="jp-mlops-Link"
            onClick={() => context.open('model', { name: one.model })}
          >
            {one.model}
          </button>
          {one.alias && ` · ${trans.__('follows %1', one.alias)}`}
        </Fact>
        <Fact name={trans.__('target')}>{one.target}</Fact>
        <Fact name={trans.__('revision')}>
          {one.revision} · {one.reason}
        </Fact>
        {Object.keys(one.shadow).length > 0 && (
          <Fact name={trans.__('shadow')}>{served(one.shadow)}</Fact>
        )}
        {one.image && (
          <Fact name={trans.__('image')}>
            <code>{one.image}</code>
          </Fact>
        )}
        {metrics.requests !== undefined && (
          <Fact name={trans.__('answered')}>
            <span className="jp-mlops-number">
              {[
                trans.__('%1 requests', metrics.requests.toLocaleString('en')),
                trans.__('%1 errors', (metrics.errors ?? 0).toLocaleString('en')),
                metrics.requests_per_second !== undefined &&
                  trans.__('%1 a second', Number(metrics.requests_per_second.toFixed(1))),
                metrics.requests > 0 &&
                  metrics.p50_seconds !== undefined &&
                  trans.__('half within %1', latency(metrics.p50_seconds)),
                metrics.requests > 0 &&
                  metrics.p99_seconds !== undefined &&
                  trans.__('99 % within %1', latency(metrics.p99_seconds))
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </Fact>
        )}
      </dl>
      {detail.replicas.length > 0 && (
        <>
          <h2>{trans.__('Replicas')}</h2>
          <table className="jp-mlops-Grid">
            <thead>
              <tr>
                <th>{trans.__('replica')}</th>
                <th>{trans.__('state')}</th>
                <th>{trans.__('revision')}</th>
                <th className="jp-mlops-number">{trans.__('requests')}</th>
                <th className="jp-mlops-number">{trans.__('errors')}</th>
                <th className="jp-mlops-number">{trans.__('restarts')}</th>
              </tr>
            </thead>
            <tbody>
              {detail.replicas.map(replica => (
                <tr key={replica.name} title={replica.message}>
                  <td>{replica.name}</td>
                  <td>
                    <span className="jp-mlops-DeploymentTab-state">
                      <StateMark state={looks(replica.state)} />
                      {replica.state}
                    </span>
                  </td>
                  <td>{replica.revision}</td>
                  <td className="jp-mlops-number">{replica.requests.toLocaleString('en')}</td>
                  <td className="jp-mlops-number">{replica.errors.toLocaleString('en')}</td>
                  <td className="jp-mlops-number">{replica.restarts}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      <h2>{trans.__('History')}</h2>
      <table className="jp-mlops-Grid">
        <thead>
          <tr>
            <th>{trans.__('revision')}</th>
            <th>{trans.__('served')}</th>
            <th>{trans.__('why')}</th>
            <th>{trans.__('when')}</th>
            <th>{trans.__('by')}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {detail.revisions.map(each => (
            <tr key={each.revision} data-revision={each.revision}>
              <td>{each.revision}</td>
              <td>{served(each.traffic)}</td>
              <td>{each.reason}</td>
              <td title={exactly(each.created_at)}>{ago(each.created_at, now)}</td>
              <td>{each.user_name}</td>
              <td>
                {each.revision !== one.revision && !isGone && (
                  <button
                    className="jp-mlops-Button"
                    disabled={isBusy}
                    onClick={() => void act(() => api.rollback(one.name, each.revision))}
                  >
                    {trans.__('Roll back to it')}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Who answers which share: one bar, a piece for each version. */
export function Traffic(props: {
  traffic: Readonly<Record<string, number>>;
  trans: { __: (text: string, ...values: unknown[]) => string };
}): ReactElement | null {
  const parts = byShare(props.traffic);
  if (!parts.length) {
    return null;
  }
  const said = parts.map(([version, share]) => `v${version} ${percent(share)}`).join(', ');
  return (
    <div className="jp-mlops-Traffic" role="img" aria-label={props.trans.__('Traffic: %1', said)}>
      {parts.map(([version, share], index) => (
        <span
          key={version}
          data-place={index % 4}
          style={{ flexGrow: share }}
          title={percent(share)}
        >
          v{version}
          {parts.length > 1 && ` ${percent(share)}`}
        </span>
      ))}
    </div>
  );
}
