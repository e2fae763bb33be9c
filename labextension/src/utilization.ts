/** How much tasks used of what they were given, as people read it. Pure. */
import { percent } from './costs/words';
import type { Estimate, TaskRun } from './types';
import { bytes, duration, plain } from './format';
import { trans } from './language';

type Used = Pick<TaskRun, 'cpu_utilization' | 'cpus'>;
type Suggestion = Estimate['suggestions'][number];

/** `37 % of 4`: of its CPUs' time; "" where nobody measured it. */
export function ofCpus(used: Used): string {
  return used.cpu_utilization === null || used.cpus === null
    ? ''
    : trans.__('%1 of %2', percent(used.cpu_utilization), plain(used.cpus));
}

/** `12s, 37 % of 4`. */
export function cpuTime(used: Used & Pick<TaskRun, 'cpu_seconds'>): string {
  return [duration(used.cpu_seconds), ofCpus(used)].filter(Boolean).join(', ');
}

/** `1.2 GiB, 15 % of what it asked for`. */
export function memory(used: Pick<TaskRun, 'peak_memory_bytes' | 'memory_utilization'>): string {
  const peak = bytes(used.peak_memory_bytes || null);
  return peak && used.memory_utilization !== null
    ? trans.__('%1, %2 of what it asked for', peak, percent(used.memory_utilization))
    : peak;
}

/** What a task asks for, what it used, and what it should ask for: a line for memory, and one for CPUs. */
export function advice(each: Suggestion): [asks: string, used: string, should: string][] {
  const nothing = trans.__('nothing');
  const cpus = (count: number): string => trans._n('%1 CPU', '%1 CPUs', count);
  const lines: [string, string, string][] = [];
  if (each.memory !== null) {
    const asks = each.asked_memory === null ? nothing : bytes(each.asked_memory);
    lines.push([asks, bytes(each.peak_memory), bytes(each.memory)]);
  }
  if (each.cpu !== null && each.busy_cpus !== null) {
    const asks = each.asked_cpu === null ? nothing : cpus(each.asked_cpu);
    lines.push([asks, cpus(Number(each.busy_cpus.toPrecision(2))), cpus(each.cpu)]);
  }
  return lines;
}
