/** The queue and quotas in few words. Pure. */
import { bytes } from '../format';
import { money } from '../costs/words';
import type { QuotaUse } from '../types';

type Trans = { __: (text: string, ...values: unknown[]) => string };

/** Until about when something waits: `about 12 min`, `about to start`; '' where nobody knows. */
export function ahead(startsAt: string | null, now: number, trans: Trans): string {
  if (!startsAt) {
    return '';
  }
  const minutes = (Date.parse(startsAt) - now) / 60_000;
  if (minutes < 1) {
    return trans.__('about to start');
  }
  if (minutes < 90) {
    return trans.__('about %1 min', Math.round(minutes));
  }
  return minutes < 2880
    ? trans.__('about %1 h', Math.round(minutes / 60))
    : trans.__('about %1 d', Math.round(minutes / 1440));
}

/** Whom a limit is for. */
export function ofWhom({ scope, name }: QuotaUse, trans: Trans): string {
  switch (scope) {
    case 'all':
      return trans.__('everybody');
    case 'group':
      return trans.__('group %1', name);
    case 'user':
      return trans.__('user %1', name);
    default:
      return trans.__('queue %1', name);
  }
}

/** What it limits. */
export function limited({ resource, is_monthly: isMonthly }: QuotaUse, trans: Trans): string {
  const word = resourceWord(resource, trans);
  return isMonthly ? trans.__('%1 this month', word) : word;
}

function resourceWord(resource: QuotaUse['resource'], trans: Trans): string {
  switch (resource) {
    case 'runs':
      return trans.__('runs');
    case 'tasks':
      return trans.__('tasks');
    case 'memory':
      return trans.__('memory');
    case 'gpu_hours':
      return trans.__('gpu hours');
    case 'cost':
      return trans.__('cost');
    default:
      return resource; // cpu, gpu
  }
}

/** `3 / 4`, `12 GiB / 64 GiB`, `$20.10 / $100`. */
export function used({ resource, used, limit }: QuotaUse): string {
  const shown = (value: number): string =>
    resource === 'memory'
      ? bytes(value)
      : resource === 'cost'
        ? money(value)
        : String(Number(value.toFixed(2)));
  return `${shown(used)} / ${shown(limit)}`;
}
