/** The tab of a pipeline's cost: a month of it everywhere, when owning is cheaper, and what its tasks should ask for. */
import { type ReactElement, useState } from 'react';
import { Line } from '../components/fields';
import { Failure, Waiting } from '../components/pieces';
import { duration } from '../format';
import { useQuery, useRested } from '../hooks';
import type { Args, IContext } from '../tokens';
import type { Estimate } from '../types';
import { advice } from '../utilization';
import { BreakEvenPlot } from './plot';
import { CostTable } from './view';
import { money, percent } from './words';

export const create = (context: IContext, args: Args): ReactElement => (
  <CostTab context={context} path={args.path} title={args.title} />
);

function CostTab(props: { context: IContext; path: string; title?: string }): ReactElement {
  const { context, path } = props;
  const { api, model, trans } = context;
  const [often, setOften] = useState('');
  const wanted = useRested(often);
  const runs = wanted.trim() === '' ? undefined : Number(wanted);
  const isWrong = runs !== undefined && !(runs >= 0 && runs <= 1e7);
  const { value, error, refresh } = useQuery(
    model,
    ['cost', path, isWrong ? undefined : runs],
    () => api.pipelineCost(path, isWrong ? undefined : runs),
    ['run', 'schedule']
  );
  return (
    <div className="jp-mlops-CostTab">
      <header className="jp-mlops-Tab-head">
        <h1>{trans.__('What %1 costs', props.title ?? path)}</h1>
        {value && <p className="jp-mlops-muted">{basis(value, trans)}</p>}
      </header>
      {value && (
        <div className="jp-mlops-CostTab-ask">
          <Line
            label={trans.__('Runs a month')}
            type="number"
            value={often}
            placeholder={String(Number((value.runs_a_month ?? 0).toPrecision(3)))}
            onChange={setOften}
          />
          {isWrong && <p className="jp-mlops-note">{trans.__('0 or more')}</p>}
        </div>
      )}
      {!value &&
        (error ? (
          <Failure error={error} onRetry={refresh} retry={trans.__('Try again')} />
        ) : (
          <Waiting label={trans.__('Loading costs')} />
        ))}
      {value && <Detail cost={value} trans={trans} />}
    </div>
  );
}

function basis(cost: Estimate, trans: IContext['trans']): string {
  const often = cost.runs_a_month ?? 0;
  const shown =
    often >= 100 ? Math.round(often).toLocaleString('en') : Number(often.toPrecision(3));
  return trans.__(
    '%1 runs a month, by %2; a run is %3 of work',
    shown,
    cost.basis,
    duration(cost.hours * 3600)
  );
}

function Detail({ cost, trans }: { cost: Estimate; trans: IContext['trans'] }): ReactElement {
  return (
    <>
      <CostTable cost={cost} trans={trans} />
      {cost.server && cost.break_evens.length > 0 && (
        <>
          <h2>{trans.__('Own or rent')}</h2>
          <p>
            {trans.__(
              'A server of one’s own (%1) costs %2 a month, used or not.',
              cost.server.name,
              money(cost.server.monthly)
            )}{' '}
            {cost.load > 0 && trans.__('This keeps it busy %1 of the time.', percent(cost.load))}
          </p>
          <BreakEvenPlot cost={cost} trans={trans} />
        </>
      )}
      <h2>{trans.__('What its tasks should ask for')}</h2>
      {cost.suggestions.length === 0 ? (
        <p className="jp-mlops-muted">{trans.__('Every task asks for about what it uses.')}</p>
      ) : (
        <table className="jp-mlops-Grid">
          <thead>
            <tr>
              <th>{trans.__('task')}</th>
              <th className="jp-mlops-number">{trans.__('asks for')}</th>
              <th className="jp-mlops-number">{trans.__('used')}</th>
              <th className="jp-mlops-number">{trans.__('should ask for')}</th>
            </tr>
          </thead>
          <tbody>
            {cost.suggestions.flatMap(each =>
              advice(each).map((line, index) => (
                <tr key={`${each.task} ${index}`} className={each.is_short ? 'jp-mod-short' : ''}>
                  <td>{index ? '' : each.task}</td>
                  {line.map((told, at) => (
                    <td key={at} className="jp-mlops-number">
                      {told}
                    </td>
                  ))}
                </tr>
              ))
            )}
          </tbody>
        </table>
      )}
    </>
  );
}
