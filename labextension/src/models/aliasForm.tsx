/** Moving the aliases of a model: always asked, and asked again where one is protected. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { type ReactElement, useState } from 'react';

import type { IContext } from '../tokens';
import type { ModelDetail } from '../types';
import { AliasBadge } from './badges';

/** What an alias may be called; the server has the last word. */
const ALIAS = /^[A-Za-z][A-Za-z0-9_.-]*$/;

async function agree(
  context: IContext,
  title: string,
  body: string,
  yes: string,
  isGrave: boolean
): Promise<boolean> {
  const { trans } = context;
  const button = isGrave ? Dialog.warnButton({ label: yes }) : Dialog.okButton({ label: yes });
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), button],
    defaultButton: isGrave ? 0 : 1
  });
  return answer.button.accept;
}

/** Lets an alias name a version, if somebody agrees. */
export async function moveAlias(
  context: IContext,
  model: ModelDetail,
  alias: string,
  version: number
): Promise<void> {
  const { trans } = context;
  const known = model.alias_list.find(one => one.alias === alias);
  const body = known
    ? trans.__(
        '%1 names version %2 now. Whoever loads %3@%1 gets version %4 from then on.',
        alias,
        known.version,
        model.name,
        version
      )
    : trans.__('Whoever loads %1@%2 gets version %3 from then on.', model.name, alias, version);
  const title = known
    ? trans.__('Move %1 to version %2?', alias, version)
    : trans.__('Give version %1 the alias %2?', version, alias);
  if (!(await agree(context, title, body, known ? trans.__('Move') : trans.__('Give'), false))) {
    return;
  }
  const isProtected = known?.is_protected ?? false;
  const isSure =
    !isProtected ||
    (await agree(
      context,
      trans.__('%1 is protected', alias),
      trans.__('Somebody protected it, so that it does not move by mistake. Move it all the same?'),
      trans.__('Move it all the same'),
      true
    ));
  if (isSure) {
    await send(context, () => context.api.setAlias(model.name, alias, version, isProtected));
  }
}

/** Takes an alias away, if somebody agrees. */
export async function removeAlias(
  context: IContext,
  model: ModelDetail,
  alias: string
): Promise<void> {
  const { trans } = context;
  const known = model.alias_list.find(one => one.alias === alias);
  const body = known?.is_protected
    ? trans.__(
        'It is protected. Whoever loads %1@%2 finds nothing from then on.',
        model.name,
        alias
      )
    : trans.__('Whoever loads %1@%2 finds nothing from then on.', model.name, alias);
  if (
    await agree(
      context,
      trans.__('Take the alias %1 away?', alias),
      body,
      trans.__('Take away'),
      true
    )
  ) {
    await send(context, () =>
      context.api.deleteAlias(model.name, alias, known?.is_protected ?? false)
    );
  }
}

async function send(context: IContext, request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    context.report(error);
  }
}

/** The aliases of one version, and the ways to change them. */
export function VersionAliases(props: {
  context: IContext;
  model: ModelDetail;
  version: number;
  onDone: () => void;
}): ReactElement {
  const { context, model, version } = props;
  const { trans } = context;
  const [isAsking, setAsking] = useState(false);
  const [name, setName] = useState('');
  const here = model.alias_list.filter(one => one.version === version);
  const others = model.alias_list.filter(one => one.version !== version);
  const move = async (alias: string): Promise<void> => {
    setAsking(false);
    setName('');
    await moveAlias(context, model, alias, version);
    props.onDone();
  };
  return (
    <div className="jp-mlops-Aliases">
      {here.map(({ alias, is_protected: isProtected }) => (
        <span key={alias} className="jp-mlops-Aliases-one">
          <AliasBadge alias={alias} isProtected={isProtected} />
          <button
            className="jp-mlops-Entry-remove"
            aria-label={trans.__('Take the alias %1 away', alias)}
            title={trans.__('Take the alias %1 away', alias)}
            onClick={() => void removeAlias(context, model, alias).then(props.onDone)}
          >
            ×
          </button>
        </span>
      ))}
      {!isAsking && (
        <button className="jp-mlops-Button jp-mod-quiet" onClick={() => setAsking(true)}>
          {trans.__('Move an alias here…')}
        </button>
      )}
      {isAsking && (
        <form
          className="jp-mlops-Aliases-form"
          onSubmit={event => {
            event.preventDefault();
            void move(name);
          }}
          onKeyDown={event => event.key === 'Escape' && setAsking(false)}
        >
          {others.map(({ alias, version: now }) => (
            <button
              key={alias}
              type="button"
              className="jp-mlops-Button"
              onClick={() => void move(alias)}
            >
              {trans.__('%1 (from v%2)', alias, now)}
            </button>
          ))}
          <input
            className="jp-mlops-Input"
            value={name}
            autoFocus
            spellCheck={false}
            placeholder={trans.__('a new alias')}
            aria-label={trans.__('A new alias')}
            onChange={event => setName(event.target.value)}
          />
          <button className="jp-mlops-Button jp-mod-primary" disabled={!ALIAS.test(name)}>
            {trans.__('Give')}
          </button>
          <button
            type="button"
            className="jp-mlops-Button jp-mod-quiet"
            onClick={() => setAsking(false)}
          >
            {trans.__('Cancel')}
          </button>
        </form>
      )}
    </div>
  );
}
