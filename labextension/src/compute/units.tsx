/** What there is to compute on: each unit with what it can do at most, what it was measured to do, and what it costs. */
import type { ReactElement } from 'react';
import { Fold } from '../components/pieces';
import { flops, formats, money, percent } from '../costs/words';
import { bytes, exactly } from '../format';
import { usePreferences, useQuery } from '../hooks';
import type { IContext } from '../tokens';
import type { ComputeUnit } from '../types';

const FEW = 3; // more are shown when they are asked for
const SHOWN = ['float64', 'float32', 'bfloat16', 'float8'];
type Trans = { __: (text: string, ...values: unknown[]) => string };

export function Units({ context }: { context: IContext }): ReactElement | null {
  const { api, model, preferences, trans } = context;
  const { value } = useQuery(model, ['units'], () => api.units(), ['compute']);
  const { showCosts } = usePreferences(preferences);
  if (!value?.items.length) {
    return null;
  }
  const isMeasured = value.items.some(unit => unit.measured_at);
  return (
    <Fold title={trans.__('Units')} count={value.items.length} isOpen={value.items.length <= FEW}>
      {value.items.map(unit => (
        <UnitFacts key={unit.unit} unit={unit} isPriced={showCosts} trans={trans} />
      ))}
      {!isMeasured && (
        <p className="jp-mlops-note">
          {trans.__('Nothing was measured yet: ')}
          <code>jupyter mlops compute bench</code>
        </p>
      )}
    </Fold>
  );
}

/** One unit. */
export function UnitFacts(props: {
  unit: ComputeUnit;
  isPriced: boolean;
  trans: Trans;
}): ReactElement {
  const { unit, trans } = props;
  const rates = formats(unit.peak_flops).filter(name => SHOWN.includes(name));
  const has = [
    unit.kind === 'CPU' ? trans.__('%1 cores', Number(unit.cores.toFixed(1))) : '',
    bytes(unit.memory_bytes),
    props.isPriced && unit.price_an_hour !== null
      ? trans.__('%1 an hour', money(unit.price_an_hour))
      : ''
  ];
  return (
    <section className="jp-mlops-UnitFacts" data-unit={unit.unit}>
      <header>
        <span className="jp-mlops-Badge">{unit.kind}</span>
        <span className="jp-mlops-name" title={`${unit.unit}, ${unit.abstraction}`}>
          {unit.name}
        </span>
      </header>
      <p className="jp-mlops-muted" title={unit.price_of && trans.__('as on %1', unit.price_of)}>
        {has.filter(Boolean).join(' · ')}
      </p>
      {rates.length > 0 && (
        <dl>
          {rates.map(name => (
            <Rate
              key={name}
              name={name}
              peak={unit.peak_flops[name]}
              measured={unit.measured_flops[name]}
              at={unit.measured_at}
              trans={trans}
            />
          ))}
        </dl>
      )}
    </section>
  );
}

/** `118 / 147 GFLOPS`: the unit once, where it is the same. */
export function beside(measured: string, peak: string): string {
  const [value, unit] = measured.split(' ');
  return peak.endsWith(` ${unit}`) ? `${value} / ${peak}` : `${measured} / ${peak}`;
}

function Rate(props: {
  name: string;
  peak: number;
  measured: number | undefined;
  at: string | null;
  trans: Trans;
}): ReactElement {
  const { name, peak, measured, trans } = props;
  const said =
    measured === undefined
      ? trans.__('at most %1', flops(peak))
      : beside(flops(measured), flops(peak));
  return (
    <>
      <dt>{name}</dt>
      <dd title={props.at ? trans.__('Measured %1', exactly(props.at)) : undefined}>
        {measured !== undefined && (
          <span className="jp-mlops-Meter-track" aria-hidden="true">
            <span
              className="jp-mlops-Meter-measured"
              style={{ width: `${Math.min(100, (measured / peak) * 100)}%` }}
            />
          </span>
        )}
        <span className="jp-mlops-number">
          {said}
          {measured !== undefined && ` (${percent(measured / peak)})`}
        </span>
      </dd>
    </>
  );
}
