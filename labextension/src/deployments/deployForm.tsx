/** The form that deploys a version; what it would send can be looked at first. */
import { type FormEvent, type ReactElement, useState } from 'react';

import { Check, Choice, Line } from '../components/fields';
import { Failure, Fold, Waiting } from '../components/pieces';
import { useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { Deployment, DeploymentPlan } from '../types';
import { request } from './words';

const MOST = 500;

export function DeployForm(props: {
  context: IContext;
  targets: readonly string[];
  deployments: readonly Deployment[];
  onClose: () => void;
  onDeployed: (name: string) => void;
}): ReactElement {
  const { context } = props;
  const { api, model, trans } = context;
  const models = useQuery(model, ['models', 'all'], () => api.models({ limit: MOST }), ['model']);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState('');
  const [version, setVersion] = useState('');
  const [target, setTarget] = useState(
    props.targets.includes('local') ? 'local' : props.targets[0]
  );
  const [least, setLeast] = useState('2');
  const [most, setMost] = useState('4');
  const [canary, setCanary] = useState('100');
  const [follow, setFollow] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [preview, setPreview] = useState<{ of: string; plan: DeploymentPlan } | null>(null);
  const [isBusy, setBusy] = useState(false);
  if (!models.value) {
    return models.error ? (
      <Failure error={models.error} />
    ) : (
      <Waiting label={trans.__('Loading models')} />
    );
  }
  if (!models.value.items.length) {
    return (
      <p className="jp-mlops-note">
        {trans.__('No model is registered yet: a notebook does with mlops.register_model(…).')}
      </p>
    );
  }
  const one = models.value.items.find(each => each.name === chosen) ?? models.value.items[0];
  const versions: [string, string][] = [
    ...Object.entries(one.aliases).map(([alias, number]): [string, string] => [
      alias,
      `${alias} (v${number})`
    ]),
    ...Array.from({ length: Math.min(20, one.last_version ?? 0) }, (_, index): [string, string] => {
      const number = String((one.last_version ?? 0) - index);
      return [number, `v${number}`];
    })
  ];
  const shown = versions.some(([value]) => value === version) ? version : (versions[0]?.[0] ?? '');
  const now = props.deployments.find(each => each.name === (name || one.name));
  const { asked, wrong } = request({
    model: one.name,
    version: shown,
    name,
    target,
    least,
    most,
    canary,
    follow,
    now
  });

  // A preview of something else than the form says now would mislead.
  const plan = preview?.of === JSON.stringify(asked) ? preview.plan : null;

  const act = async (deed: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      if (wrong) {
        throw new Error(wrong);
      }
      await deed();
    } catch (reason) {
      model.failed(reason);
      setError(reason as Error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void act(async () => {
      const deployed = await api.deploy(asked);
      context.say(
        deployed.state === 'running'
          ? trans.__('%1 answers', deployed.name)
          : trans.__('%1 is being deployed', deployed.name)
      );
      props.onDeployed(deployed.name);
    });
  };

  return (
    <form className="jp-mlops-Form jp-mlops-AddForm" onSubmit={submit} noValidate>
      {error && <Failure error={error} />}
      <Choice
        label={trans.__('Model')}
        value={one.name}
        choices={models.value.items.map(each => [each.name, each.name])}
        onChange={setChosen}
      />
      <Choice label={trans.__('Version')} value={shown} choices={versions} onChange={setVersion} />
      {!/^\d+$/.test(shown) && (
        <Check
          label={trans.__('Go along when %1 moves', shown)}
          isChecked={follow}
          onChange={setFollow}
        />
      )}
      <Line label={trans.__('Name')} value={name} placeholder={one.name} onChange={setName} />
      <Choice
        label={trans.__('Target')}
        value={target}
        choices={props.targets.map(each => [each, each])}
        onChange={setTarget}
      />
      <div className="jp-mlops-Pair">
        <Line label={trans.__('Replicas from')} type="number" value={least} onChange={setLeast} />
        <Line label={trans.__('up to')} type="number" value={most} onChange={setMost} />
      </div>
      <Line
        label={trans.__('Share of the requests, %')}
        type="number"
        value={canary}
        onChange={setCanary}
      />
      {plan && (
        <Fold title={trans.__('What would be sent')} count={plan.requests.length} isOpen>
          {plan.requests.map((each, index) => (
            <div key={index}>
              <code>{each.call}</code>
              <pre className="jp-mlops-Source">{JSON.stringify(each.body, null, 2)}</pre>
            </div>
          ))}
        </Fold>
      )}
      <div className="jp-mlops-Form-buttons">
        <button type="button" className="jp-mlops-Button" onClick={props.onClose}>
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="jp-mlops-Button"
          disabled={isBusy}
          onClick={() =>
            void act(async () => {
              const found = await api.planDeployment(asked);
              setPreview({ of: JSON.stringify(asked), plan: found });
            })
          }
        >
          {trans.__('Preview')}
        </button>
        <button type="submit" className="jp-mlops-Button jp-mod-primary" disabled={isBusy}>
          {isBusy ? trans.__('Working…') : trans.__('Deploy')}
        </button>
      </div>
    </form>
  );
}
