/** What a deployment serves, and how it is, in few words. */
import { trans } from '../language';
import type { Deployment } from '../types';

type Shares = Readonly<Record<string, number>>;

/** `v3`, `v3 90 % · v4 10 %`; the largest share first. */
export function served(traffic: Shares): string {
  const parts = byShare(traffic);
  return parts.length === 1
    ? `v${parts[0][0]}`
    : parts.map(([version, share]) => `v${version} ${percent(share)}`).join(' · ');
}

/** Versions with their shares, the largest first. */
export function byShare(traffic: Shares): [string, number][] {
  return Object.entries(traffic).sort((a, b) => b[1] - a[1] || Number(b[0]) - Number(a[0]));
}

/** `90 %`, `0.5 %`; what is not all of it is never said to be. */
export function percent(share: number): string {
  const isNearAnEnd = share < 0.01 || share > 0.99;
  return `${Number((share * 100).toFixed(isNearAnEnd ? 2 : 0))} %`;
}

/** The color of a state, by the run state that looks so. */
export function looks(state: string): 'succeeded' | 'running' | 'failed' | 'cancelled' | 'queued' {
  switch (state) {
    case 'running':
      return 'succeeded';
    case 'deploying':
    case 'starting':
      return 'running';
    case 'degraded':
    case 'failed':
      return 'failed';
    default:
      return 'cancelled';
  }
}

/** `1.4 ms`, `2.1 s`. */
export function latency(seconds: number | undefined): string {
  if (seconds === undefined || Number.isNaN(seconds)) {
    return '';
  }
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : `${seconds.toFixed(1)} s`;
}

/** What is asked of the server for a form's answers; a canary takes its share from the version that serves now. */
export function request(form: {
  model: string;
  version: string;
  name: string;
  target: string;
  least: string;
  most: string;
  canary: string;
  follow: boolean;
  now: Deployment | undefined;
}): { asked: Record<string, unknown> & { model: string }; wrong: string } {
  const model = /^\d+$/.test(form.version)
    ? `models:/${form.model}/${form.version}`
    : `models:/${form.model}@${form.version}`;
  const asked: Record<string, unknown> & { model: string } = { model, target: form.target };
  if (form.name) {
    asked.name = form.name;
  }
  const [least, most] = [Number(form.least), Number(form.most)];
  if (!Number.isInteger(least) || !Number.isInteger(most) || least < 1 || most < least) {
    return { asked, wrong: trans.__('replicas: at least 1, and at most no fewer than at least') };
  }
  asked.replicas = [least, most];
  const share = Number(form.canary) / 100;
  if (!(share > 0 && share <= 1)) {
    return { asked, wrong: trans.__('the share must be above 0 and at most 100') };
  }
  if (share < 1) {
    const [main] = form.now ? byShare(form.now.traffic) : [];
    if (!main || !/^\d+$/.test(form.version) || main[0] === form.version) {
      return {
        asked,
        wrong: trans.__(
          'a part of the traffic needs another version that serves the rest now, and a version by its number'
        )
      };
    }
    asked.traffic = { [main[0]]: Number((1 - share).toFixed(6)), [form.version]: share };
  }
  if (form.follow && !/^\d+$/.test(form.version)) {
    asked.follow_alias = form.version;
  }
  return { asked, wrong: '' };
}
