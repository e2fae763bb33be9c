/** What something costs, place by place; and the part of a tab that asks for it when it is opened. */
import { type ReactElement, useState } from 'react';
import { Failure, Waiting } from '../components/pieces';
import { usePreferences, useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { Estimate, Quote } from '../types';
import { money } from './words';

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** A part that folds: nothing is asked before it is opened, and nothing is there when costs shall not be shown. */
export function CostFold(props: {
  context: IContext;
  about: readonly unknown[];
  fetch: () => Promise<Estimate>;
}): ReactElement | null {
  const { context } = props;
  const [isOpen, setOpen] = useState(false);
  if (!usePreferences(context.preferences).showCosts) {
    return null;
  }
  return (
    <details
      className="jp-mlops-Fold jp-mlops-CostFold"
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{context.trans.__('Cost')}</summary>
      <div className="jp-mlops-Fold-body">{isOpen && <Asked {...props} />}</div>
    </details>
  );
}

function Asked(props: {
  context: IContext;
  about: readonly unknown[];
  fetch: () => Promise<Estimate>;
}): ReactElement {
  const { model, trans } = props.context;
  const { value, error } = useQuery(model, props.about, props.fetch, ['run']);
  if (!value) {
    return error ? <Failure error={error} /> : <Waiting label={trans.__('Loading costs')} />;
  }
  return <CostTable cost={value} trans={trans} />;
}

/** The places, the cheapest for all of it first; those without room for all last. */
export function CostTable({ cost, trans }: { cost: Estimate; trans: Trans }): ReactElement {
  const isMonthly = cost.runs_a_month !== null;
  const quotes = [...cost.quotes].sort(
    (a, b) => Number(a.unfit.length > 0) - Number(b.unfit.length > 0) || a.total - b.total
  );
  if (!quotes.some(quote => quote.tasks.length)) {
    return <p className="jp-mlops-muted">{trans.__('Nothing was executed: it cost nothing.')}</p>;
  }
  return (
    <>
      <table className="jp-mlops-Grid jp-mlops-Costs">
        <thead>
          <tr>
            <th>{trans.__('where')}</th>
            <th className="jp-mlops-number">{isMonthly ? trans.__('a run') : trans.__('cost')}</th>
            {isMonthly && <th className="jp-mlops-number">{trans.__('a month')}</th>}
            <th>{trans.__('on')}</th>
          </tr>
        </thead>
        <tbody>
          {quotes.map(quote => (
            <tr key={quote.place} data-place={quote.place} title={dated(quote, trans)}>
              <td>{quote.place}</td>
              <td className="jp-mlops-number">{amount(quote, quote.total)}</td>
              {isMonthly && (
                <td className="jp-mlops-number">{amount(quote, quote.monthly ?? null)}</td>
              )}
              <td className="jp-mlops-muted">{machines(quote, trans)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {cost.warnings.map(text => (
        <p key={text} className="jp-mlops-note">
          {text}
        </p>
      ))}
      <p className="jp-mlops-muted jp-mlops-Costs-note">
        {trans.__('Compute alone, by measured use and dated list prices.')}
      </p>
    </>
  );
}

/** The machines that a quote takes, in few words; or for what there is no room. */
export function machines(quote: Quote, trans: Trans): string {
  if (quote.unfit.length) {
    return trans.__('no room for %1', quote.unfit.slice(0, 3).join(', '));
  }
  const names = [...new Set(quote.tasks.flatMap(({ machine }) => (machine ? [machine] : [])))];
  const more = names.length - 2;
  const told = names.slice(0, 2).join(', ') + (more > 0 ? ` ${trans.__('and %1 more', more)}` : '');
  const own = quote.place === 'here' ? '' : told;
  return [own, ...quote.notes].filter(Boolean).join('; ');
}

function amount(quote: Quote, value: number | null): string {
  if (quote.unfit.length) {
    return '–';
  }
  const told = money(value);
  return quote.is_approximate && !told.startsWith('<') && value ? `~${told}` : told;
}

function dated(quote: Quote, trans: Trans): string | undefined {
  return quote.as_of ? trans.__('Prices as of %1', quote.as_of) : undefined;
}
