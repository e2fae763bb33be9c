/** The versions of a model as a table: pick one to see it, tick several to compare them. */
import type { ReactElement } from 'react';

import { ago, exactly } from '../format';
import type { ModelDetail, ModelVersionSummary } from '../types';
import { AliasBadge } from './badges';
import { lastWord } from './facts';
import { short } from './plot';

/** How many metrics have a column and a chart. */
export const CHARTS = 6;

/** The versions, newest first. */
export function Versions(props: {
  model: ModelDetail;
  picked: number | null;
  compared: readonly number[];
  trans: { __: (text: string, ...values: unknown[]) => string };
  onPick: (version: number) => void;
  onCompare: (versions: readonly number[]) => void;
}): ReactElement {
  const { model, compared, trans } = props;
  const metrics = model.metric_names.slice(0, CHARTS);
  const toggle = (version: number): void => {
    const others = compared.filter(one => one !== version);
    const next = others.length < compared.length ? others : [...others, version];
    props.onCompare(next.sort((a, b) => a - b).slice(-4));
  };
  return (
    <table className="jp-mlops-Grid jp-mlops-Versions">
      <thead>
        <tr>
          <th title={trans.__('Pick two or more to compare')}>
            <span className="jp-mlops-hidden">{trans.__('Compare')}</span>
          </th>
          <th>{trans.__('Version')}</th>
          <th>{trans.__('Aliases')}</th>
          {metrics.map(name => (
            <th key={name} className="jp-mlops-number">
              {name}
            </th>
          ))}
          <th>{trans.__('Estimator')}</th>
          <th>{trans.__('Registered')}</th>
        </tr>
      </thead>
      <tbody>
        {model.versions.map(one => (
          <VersionRow
            key={one.version}
            version={one}
            metrics={metrics}
            protectedAliases={model.alias_list
              .filter(alias => alias.is_protected)
              .map(({ alias }) => alias)}
            isPicked={
              compared.length > 1 ? compared.includes(one.version) : one.version === props.picked
            }
            isCompared={compared.includes(one.version)}
            trans={trans}
            onPick={() => props.onPick(one.version)}
            onToggle={() => toggle(one.version)}
          />
        ))}
      </tbody>
    </table>
  );
}

function VersionRow(props: {
  version: ModelVersionSummary;
  metrics: readonly string[];
  protectedAliases: readonly string[];
  isPicked: boolean;
  isCompared: boolean;
  trans: { __: (text: string, ...values: unknown[]) => string };
  onPick: () => void;
  onToggle: () => void;
}): ReactElement {
  const { version, trans } = props;
  return (
    <tr
      className={props.isPicked ? 'jp-mod-selected' : ''}
      aria-selected={props.isPicked}
      data-version={version.version}
      onClick={props.onPick}
    >
      <td onClick={event => event.stopPropagation()}>
        <input
          type="checkbox"
          checked={props.isCompared}
          aria-label={trans.__('Compare version %1', version.version)}
          onChange={props.onToggle}
        />
      </td>
      <td>
        <button className="jp-mlops-Bare jp-mlops-Version" onClick={props.onPick}>
          v{version.version}
        </button>
      </td>
      <td>
        <span className="jp-mlops-Badges">
          {version.aliases.map(alias => (
            <AliasBadge
              key={alias}
              alias={alias}
              isProtected={props.protectedAliases.includes(alias)}
            />
          ))}
        </span>
      </td>
      {props.metrics.map(name => (
        <td key={name} className="jp-mlops-number">
          {version.metrics[name] === undefined ? '–' : short(version.metrics[name])}
        </td>
      ))}
      <td title={version.estimator}>{lastWord(version.estimator)}</td>
      <td className="jp-mlops-muted" title={`${exactly(version.created_at)}\n${version.user_name}`}>
        {ago(version.created_at, Date.now())}
      </td>
    </tr>
  );
}
