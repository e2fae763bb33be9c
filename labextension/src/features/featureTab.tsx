/** The tab of a feature view: how fresh, what its values look like, whether they drift, and where they come from. */
import type { ReactElement, ReactNode } from 'react';

import { Fact, Failure, Fold, Waiting } from '../components/pieces';
import { ago, duration, exactly, plain } from '../format';
import { useQuery } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { Expectation, FeatureViewDetail, Preview } from '../types';
import { ProfileCard } from './profileCard';
import { FreshMark } from './section';
import { age } from './words';

export const create = (context: IContext, args: Args): ReactElement => (
  <FeatureTab context={context} name={args.name} />
);

type Trans = { __: (text: string, ...values: unknown[]) => string };
const PREVIEW = 50;

function FeatureTab({ context, name }: { context: IContext; name: string }): ReactElement {
  const { api, model, trans } = context;
  const { value, error, refresh } = useQuery(
    model,
    ['feature', name],
    () => api.featureView(name),
    ['feature']
  );
  if (value) {
    return <FeatureDetail detail={value} context={context} />;
  }
  return error ? (
    <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />
  ) : (
    <Waiting label={trans.__('Loading the feature view')} />
  );
}

function FeatureDetail({
  detail,
  context
}: {
  detail: FeatureViewDetail;
  context: IContext;
}): ReactElement {
  const { trans } = context;
  const { view } = detail;
  return (
    <div className="jp-mlops-FeatureTab">
      <header className="jp-mlops-Tab-head">
        <h1>{view.name}</h1>
        <span className="jp-mlops-FeatureTab-fresh">
          <FreshMark view={view} trans={trans} />
          {age(view, trans)}
        </span>
        {view.description && <p className="jp-mlops-muted">{view.description}</p>}
      </header>
      <div className="jp-mlops-FeatureTab-body">
        <div className="jp-mlops-FeatureTab-main">
          <Profiles detail={detail} trans={trans} />
          {view.kind !== 'on_demand' && <PreviewRows context={context} name={view.name} />}
        </div>
        <aside className="jp-mlops-FeatureTab-side">
          <Facts detail={detail} trans={trans} />
          <Expectations expectations={detail.expectations} trans={trans} />
          {detail.source_text && (
            <Part
              title={detail.source_language === 'sql' ? trans.__('Query') : trans.__('Function')}
            >
              <pre className="jp-mlops-Source">{detail.source_text}</pre>
            </Part>
          )}
          <History detail={detail} context={context} />
        </aside>
      </div>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return (
    <section className="jp-mlops-Part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Profiles({ detail, trans }: { detail: FeatureViewDetail; trans: Trans }): ReactElement {
  const { profile, profile_before: before, drift } = detail;
  if (!profile) {
    return (
      <Part title={trans.__('Features')}>
        <table className="jp-mlops-Grid">
          <tbody>
            {detail.view.features.map(({ name, dtype }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <code>{dtype}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Part>
    );
  }
  const drifted = drift.filter(one => one.is_drifted).length;
  return (
    <Part title={trans.__('Features')}>
      <p className="jp-mlops-muted">
        {trans.__('The newest batch: %1 rows.', profile.rows.toLocaleString('en'))}{' '}
        {before && trans.__('The outline is the batch before.')}{' '}
        {drifted > 0 && (
          <strong className="jp-mlops-warned">
            ▲ {trans.__('%1 of %2 features drifted.', drifted, drift.length)}
          </strong>
        )}
      </p>
      <div className="jp-mlops-Profiles">
        {profile.features.map(one => (
          <ProfileCard
            key={one.name}
            profile={one}
            before={before?.features.find(({ name }) => name === one.name)}
            drift={drift.find(({ feature }) => feature === one.name)}
            trans={trans}
          />
        ))}
      </div>
    </Part>
  );
}

function Facts({ detail, trans }: { detail: FeatureViewDetail; trans: Trans }): ReactElement {
  const { view } = detail;
  const keys = Object.entries(detail.keys).map(([name, dtype]) => `${name} (${dtype})`);
  const facts: [string, string][] = [
    [trans.__('Entities'), view.entities.join(', ')],
    [trans.__('Keys'), keys.join(', ')],
    [
      trans.__('Good for'),
      view.ttl_seconds === null ? trans.__('ever') : duration(view.ttl_seconds)
    ],
    [trans.__('Known up to'), exactly(view.watermark_at)],
    [trans.__('Rows'), view.kind === 'on_demand' ? '' : view.rows.toLocaleString('en')],
    [
      trans.__('Event time'),
      view.kind === 'on_demand' ? '' : `${detail.event_timestamp}, ${detail.time_zone || 'UTC'}`
    ],
    [trans.__('Database'), detail.database],
    [trans.__('Services'), detail.services.join(', ')],
    [trans.__('Owner'), view.owner],
    ...Object.entries(view.tags)
  ];
  return (
    <Part title={trans.__('About')}>
      <dl className="jp-mlops-Facts">
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
      </dl>
    </Part>
  );
}

/** What is expected, and whether the newest batch was like that. */
export function Expectations(props: {
  expectations: readonly Expectation[];
  trans: Trans;
}): ReactElement | null {
  const { trans } = props;
  if (props.expectations.length === 0) {
    return null;
  }
  return (
    <Part title={trans.__('Expectations')}>
      <ul className="jp-mlops-Expectations">
        {props.expectations.map((one, i) => {
          const [sign, kind, word] =
            one.is_met === null
              ? ['–', 'none', trans.__('not tried yet')]
              : one.is_met
                ? ['✔', 'met', trans.__('holds')]
                : one.severity === 'error'
                  ? ['✘', 'error', trans.__('does not hold')]
                  : ['▲', 'warning', trans.__('does not hold')];
          return (
            <li key={i} className={`jp-mod-${kind}`}>
              <span role="img" aria-label={word} title={word}>
                {sign}
              </span>
              <div>
                {one.feature && <strong>{one.feature} </strong>}
                {one.text}
                {one.message && <div className="jp-mlops-hint">{one.message}</div>}
              </div>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

function History({
  detail,
  context
}: {
  detail: FeatureViewDetail;
  context: IContext;
}): ReactElement {
  const { trans } = context;
  const now = Date.now();
  return (
    <>
      <Fold title={trans.__('Versions')} count={detail.versions.length}>
        <ul className="jp-mlops-History">
          {detail.versions.map(one => (
            <li key={one.version}>
              <code title={one.version}>{one.version.slice(0, 12)}</code>
              <span>{one.is_current ? trans.__('current') : ''}</span>
              <span className="jp-mlops-muted" title={exactly(one.registered_at)}>
                {one.user_name}, {ago(one.registered_at, now)}
              </span>
            </li>
          ))}
        </ul>
      </Fold>
      {detail.materializations.length > 0 && (
        <Fold title={trans.__('Batches')} count={detail.materializations.length}>
          <ul className="jp-mlops-History">
            {detail.materializations.map(one => (
              <li key={one.materialization_id} title={one.message}>
                <span className={one.state === 'failed' ? 'jp-mlops-failed' : ''}>
                  {one.state === 'failed' ? '✘ ' : one.state === 'succeeded' ? '✔ ' : '● '}
                  {one.state}
                </span>
                <span className="jp-mlops-number">
                  {trans.__('%1 rows', one.rows.toLocaleString('en'))}
                </span>
                <span className="jp-mlops-muted" title={exactly(one.created_at)}>
                  {trans.__('up to %1', exactly(one.end_at))}
                </span>
              </li>
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

function PreviewRows({ context, name }: { context: IContext; name: string }): ReactElement {
  const { trans } = context;
  const { value, error, refresh } = useQuery(
    context.model,
    ['preview', name],
    () => context.api.previewFeatures(name, PREVIEW),
    ['feature']
  );
  return (
    <Part title={trans.__('Newest rows')}>
      {error && !value && <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />}
      {!value && !error && <Waiting label={trans.__('Loading rows')} />}
      {value && <Rows preview={value} trans={trans} />}
    </Part>
  );
}

/** Rows as a table; numbers stand to the right. */
export function Rows({ preview, trans }: { preview: Preview; trans: Trans }): ReactElement {
  if (preview.rows.length === 0) {
    return <p className="jp-mlops-muted">{trans.__('No rows yet.')}</p>;
  }
  const isNumber = preview.columns.map(({ dtype }) => /^(?:int|float)/.test(dtype));
  return (
    <div className="jp-mlops-Scroll">
      <table className="jp-mlops-Grid jp-mlops-Preview">
        <thead>
          <tr>
            {preview.columns.map(({ name, dtype }, i) => (
              <th key={name} title={dtype} className={isNumber[i] ? 'jp-mlops-number' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j} className={isNumber[j] ? 'jp-mlops-number' : ''}>
                  {cell === null ? (
                    <span className="jp-mlops-muted">–</span>
                  ) : (
                    shown(cell, preview.columns[j].dtype)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(cell: unknown, dtype: string): string {
  return dtype === 'timestamp' && typeof cell === 'string'
    ? cell.replace('T', ' ').replace(/(?:\.0+)?(?:Z|\+00:00)$/, '')
    : plain(cell);
}
