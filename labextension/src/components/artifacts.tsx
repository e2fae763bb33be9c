/** The artifacts of a task: name, format, size, and what they are in short. */
import type { ReactElement } from 'react';
import { trans } from '../language';
import { bytes, plain, shorten } from '../format';
import type { Artifact } from '../types';

export function Artifacts({ artifacts }: { artifacts: readonly Artifact[] }): ReactElement {
  return (
    <ul className="jp-mlops-Artifacts">
      {artifacts.map(artifact => (
        <li key={artifact.name} title={artifact.reference}>
          <span className="jp-mlops-name">{artifact.name}</span>
          <span className="jp-mlops-muted">{shape(artifact)}</span>
          <span className="jp-mlops-Artifacts-size">{bytes(artifact.size_bytes)}</span>
        </li>
      ))}
    </ul>
  );
}

/** `parquet · 12,345 × 9`, or what else the summary says. */
export function shape({ format, summary }: Artifact): string {
  const { rows, columns } = summary as { rows?: unknown; columns?: unknown };
  if (typeof rows === 'number') {
    const count = Array.isArray(columns)
      ? columns.length
      : columns && typeof columns === 'object'
        ? Object.keys(columns).length
        : columns;
    const many = rows.toLocaleString('en');
    const size = count === undefined ? trans.__('%1 rows', many) : `${many} × ${plain(count)}`;
    return `${format} · ${size}`;
  }
  const said = Object.entries(summary)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([, value]) => plain(value));
  return [format, ...said].map(part => shorten(part, 40)).join(' · ');
}
