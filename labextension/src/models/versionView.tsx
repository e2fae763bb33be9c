/** Everything that the envelope of a version holds, and what it was made from. */
import type { ReactElement, ReactNode } from 'react';

import { Dag, type IDagTask } from '../components/dag';
import { Fact, Fold } from '../components/pieces';
import { CostFold } from '../costs/view';
import { bytes, exactly } from '../format';
import type { IContext } from '../tokens';
import type { Envelope, Lineage, ModelVersion } from '../types';
import { code, columns, entries, mapping, shortDigest, texts } from './facts';

type Trans = IContext['trans'];

/** See the module. */
export function VersionView(props: {
  context: IContext;
  version: ModelVersion;
  aliases: ReactNode;
}): ReactElement {
  const { context } = props;
  const { trans } = context;
  const { version, envelope, lineage } = props.version;
  const { run_id: runId } = version;
  return (
    <article className="jp-mlops-VersionView">
      <header>
        <h2>
          {version.name} <span className="jp-mlops-Version">v{version.version}</span>
        </h2>
        {props.aliases}
        <button
          className="jp-mlops-Button"
          onClick={() =>
            context.open('dockerize', { target: `models:/${version.name}/${version.version}` })
          }
        >
          {trans.__('Make an image…')}
        </button>
      </header>
      {version.description && <p>{version.description}</p>}
      <dl className="jp-mlops-Facts">
        <Fact name={trans.__('Registered')}>
          {trans.__('%1 by %2', exactly(version.created_at), version.user_name)}
        </Fact>
        {runId && (
          <Fact name={trans.__('Run')}>
            <button className="jp-mlops-Link" onClick={() => context.open('run', { runId })}>
              {version.task ? `${runId} · ${version.task}` : runId}
            </button>
          </Fact>
        )}
        <Fact name={trans.__('Size')}>{bytes(version.size_bytes)}</Fact>
        <Fact name={trans.__('Tried out')}>{version.check}</Fact>
        {version.origin && <Fact name={trans.__('Imported from')}>{version.origin}</Fact>}
        {Object.entries(version.tags).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
      <Fold title={trans.__('Lineage')} isOpen>
        <LineageView lineage={lineage} context={context} />
      </Fold>
      {runId && (
        <CostFold
          key={version.version}
          context={context}
          about={['model cost', version.name, version.version]}
          fetch={() => context.api.modelCost(version.name, version.version)}
        />
      )}
      <Fold title={trans.__('Definition')} isOpen>
        <Pairs body={envelope.definition} leaveOut={['source', 'forms', 'text']} />
        <Source text={String(mapping(envelope.definition).text ?? '')} />
        <Source text={String(mapping(envelope.definition).source ?? '')} />
      </Fold>
      <Fold title={trans.__('Parameters')} count={Object.keys(envelope.parameters).length}>
        <Pairs body={envelope.parameters} isKeepingAll />
      </Fold>
      <Functions envelope={envelope} trans={trans} />
      <Fold title={trans.__('Signature')} isOpen>
        <Signature envelope={envelope} trans={trans} />
      </Fold>
      <Fold title={trans.__('Data')} count={envelope.data.length}>
        {envelope.data.map((one, i) => (
          <section key={i} className="jp-mlops-VersionView-part">
            <Pairs body={one} leaveOut={['query']} />
            <Source text={String(mapping(one).query ?? '')} />
          </section>
        ))}
      </Fold>
      <Fold title={trans.__('Code')} count={code(envelope).length}>
        <Pairs body={envelope.code} leaveOut={['cells', 'script']} />
        {code(envelope).map((source, i) => (
          <Source key={i} text={source} />
        ))}
      </Fold>
      <Fold
        title={trans.__('Dependencies')}
        count={texts(mapping(envelope.dependencies).direct).length}
      >
        <Pairs body={envelope.dependencies} leaveOut={['direct', 'locked', 'modules']} />
        <Source text={texts(mapping(envelope.dependencies).direct).join('\n')} />
        <Fold
          title={trans.__('Locked')}
          count={texts(mapping(envelope.dependencies).locked).length}
        >
          <Source text={texts(mapping(envelope.dependencies).locked).join('\n')} />
        </Fold>
      </Fold>
      <Fold title={trans.__('Files')} count={Object.keys(envelope.files).length}>
        <Files envelope={envelope} trans={trans} />
      </Fold>
      <p
        className="jp-mlops-muted jp-mlops-VersionView-digest"
        title={trans.__('The digest of all of this')}
      >
        {envelope.digest}
      </p>
    </article>
  );
}

function Pairs(props: {
  body: unknown;
  leaveOut?: readonly string[];
  isKeepingAll?: boolean;
}): ReactElement | null {
  const found = props.isKeepingAll
    ? Object.entries(mapping(props.body)).map(([name, value]) => [name, JSON.stringify(value)])
    : entries(props.body, props.leaveOut);
  if (found.length === 0) {
    return null;
  }
  return (
    <dl className="jp-mlops-Facts">
      {found.map(([name, value]) => (
        <Fact key={name} name={name}>
          <span className="jp-mlops-VersionView-value">{value}</span>
        </Fact>
      ))}
    </dl>
  );
}

function Source({ text }: { text: string }): ReactElement | null {
  return text.trim() ? <pre className="jp-mlops-Source">{text}</pre> : null;
}

function Functions({ envelope, trans }: { envelope: Envelope; trans: Trans }): ReactElement | null {
  const found = [envelope.featurize, envelope.predict];
  const titles = [trans.__('From raw rows to features'), trans.__('From features to predictions')];
  if (!found.some(Boolean)) {
    return null;
  }
  return (
    <Fold title={trans.__('Functions')} count={found.filter(Boolean).length}>
      {found.map(
        (one, i) =>
          one && (
            <section key={i} className="jp-mlops-VersionView-part">
              <h4>{titles[i]}</h4>
              <Source text={one.source || one.name} />
            </section>
          )
      )}
    </Fold>
  );
}

function Signature({ envelope, trans }: { envelope: Envelope; trans: Trans }): ReactElement {
  const sides: [string, unknown][] = [
    [trans.__('Inputs'), mapping(envelope.signature).inputs],
    [trans.__('Outputs'), mapping(envelope.signature).outputs]
  ];
  return (
    <div className="jp-mlops-VersionView-sides">
      {sides.map(([title, side]) => (
        <section key={title}>
          <h4>{title}</h4>
          <dl className="jp-mlops-Facts">
            {columns(side).map(({ name, type, isOptional }) => (
              <Fact key={name} name={name}>
                <code>{type}</code>
                {isOptional && (
                  <span className="jp-mlops-muted"> {trans.__('may be missing')}</span>
                )}
              </Fact>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function Files({ envelope, trans }: { envelope: Envelope; trans: Trans }): ReactElement {
  return (
    <table className="jp-mlops-Grid">
      <thead>
        <tr>
          <th>{trans.__('Path')}</th>
          <th>{trans.__('Format')}</th>
          <th className="jp-mlops-number">{trans.__('Size')}</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(envelope.files).map(([path, file]) => (
          <tr key={path} title={String(mapping(file).digest ?? '')}>
            <td>{path}</td>
            <td>{String(mapping(file).format ?? '')}</td>
            <td className="jp-mlops-number">{bytes(Number(mapping(file).size_bytes))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The picture with digests as short as people read them. */
function named(graph: Lineage['graph']): Lineage['graph'] {
  const nodes = graph.nodes.map(node => ({ ...node, label: shortDigest(node.label) }));
  return { ...graph, nodes };
}

/** What it was made from, and what was made from it; what has a view of its own opens it. */
export function LineageView({
  lineage,
  context
}: {
  lineage: Lineage;
  context: IContext;
}): ReactElement {
  const { trans } = context;
  const nodes = new Map(lineage.nodes.map(node => [node.id, node]));
  const tasks = new Map<string, IDagTask>(
    lineage.nodes.map(node => [node.id, { state: null, detail: node.kind.replace(/_/g, ' ') }])
  );
  const self = lineage.nodes.find(node => node.is_self);
  if (lineage.nodes.length < 2) {
    return (
      <p className="jp-mlops-muted">{trans.__('Nothing is known of what it was made from.')}</p>
    );
  }
  return (
    <Dag
      graph={named(lineage.graph)}
      label={trans.__('Lineage')}
      tasks={tasks}
      leastScale={0.5}
      selected={self?.id}
      onSelect={id => {
        const node = nodes.get(id);
        if (node?.kind === 'run') {
          context.open('run', { runId: node.label });
        } else if (node?.kind === 'feature_view' || node?.kind === 'feature') {
          context.open('feature', { name: node.label.split('@')[0] });
        } else if (node?.kind === 'model' && !node.is_self) {
          context.open('model', { name: node.label.split('/')[0] });
        }
      }}
    />
  );
}
