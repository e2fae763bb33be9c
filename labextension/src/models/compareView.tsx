/** Versions side by side: what differs first, then the rest, then the code. */
import { type ReactElement, useState } from 'react';

import { Check } from '../components/fields';
import { plain } from '../format';
import type { ModelComparison } from '../types';
import { diffLines } from './facts';
import { short } from './plot';

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** See the module. */
export function CompareView(props: { comparison: ModelComparison; trans: Trans }): ReactElement {
  const { comparison, trans } = props;
  const [isAll, setAll] = useState(false);
  const tables = comparison.tables
    .map(({ title, rows }) => ({
      title,
      rows: rows.filter(row => isAll || !row.is_same || title === 'metrics')
    }))
    .filter(({ rows }) => rows.length > 0);
  return (
    <div className="jp-mlops-Versus">
      <Check label={trans.__('Also what is the same')} isChecked={isAll} onChange={setAll} />
      <table className="jp-mlops-Grid">
        <thead>
          <tr>
            <th />
            {comparison.versions.map(({ version }) => (
              <th key={version}>{trans.__('version %1', version)}</th>
            ))}
          </tr>
        </thead>
        {tables.map(({ title, rows }) => (
          <tbody key={title}>
            <tr className="jp-mlops-Grid-group">
              <th colSpan={comparison.versions.length + 1} scope="rowgroup">
                {title}
              </th>
            </tr>
            {rows.map(row => (
              <tr key={row.name} className={row.is_same ? '' : 'jp-mod-differs'}>
                <th scope="row">{row.name}</th>
                {row.values.map((value, i) => (
                  <td
                    key={i}
                    className={typeof value === 'number' ? 'jp-mlops-number' : ''}
                    title={plain(value)}
                  >
                    {value === null ? '–' : typeof value === 'number' ? short(value) : plain(value)}
                    {i > 0 && <Change from={row.values[0]} to={value} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
      {comparison.code.filter(Boolean).map((diff, i) => (
        <Diff key={i} diff={diff} />
      ))}
      {!comparison.code.some(Boolean) && (
        <p className="jp-mlops-muted">{trans.__('The code is the same.')}</p>
      )}
    </div>
  );
}

/** By how much a number differs from the first version's. */
function Change({ from, to }: { from: unknown; to: unknown }): ReactElement | null {
  if (typeof from !== 'number' || typeof to !== 'number' || from === to) {
    return null;
  }
  const by = to - from;
  return (
    <span className="jp-mlops-Versus-change">{`${by > 0 ? '+' : '−'}${short(Math.abs(by))}`}</span>
  );
}

/** A unified diff. */
export function Diff({ diff }: { diff: string }): ReactElement {
  return (
    <pre className="jp-mlops-Patch">
      {diffLines(diff).map(({ kind, text }, i) => (
        <span key={i} className={`jp-mod-${kind}`}>
          {text}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
