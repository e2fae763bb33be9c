import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suggestion } from '../costs/__tests__/builders';
import { advice, cpuTime, memory, ofCpus } from '../utilization';

describe('how much of what it was given a task used', () => {
  test('is told of its CPUs', () => {
    assert.equal(ofCpus({ cpu_utilization: 0.371, cpus: 4 }), '37 % of 4');
    assert.equal(ofCpus({ cpu_utilization: 0, cpus: 1.5 }), '0 % of 1.5');
    assert.equal(ofCpus({ cpu_utilization: null, cpus: 4 }), '');
    assert.equal(cpuTime({ cpu_seconds: 75, cpu_utilization: 0.5, cpus: 2 }), '1m 15s, 50 % of 2');
    assert.equal(cpuTime({ cpu_seconds: 0.2, cpu_utilization: null, cpus: null }), '0.2s');
    assert.equal(cpuTime({ cpu_seconds: null, cpu_utilization: null, cpus: null }), '');
  });

  test('is told of its memory, if it asked for some', () => {
    const peak = 2 ** 30;
    assert.equal(memory({ peak_memory_bytes: peak, memory_utilization: null }), '1.0 GiB');
    assert.equal(
      memory({ peak_memory_bytes: peak, memory_utilization: 1.25 }),
      '1.0 GiB, 125 % of what it asked for'
    );
    assert.equal(memory({ peak_memory_bytes: 0, memory_utilization: null }), '');
  });

  test('is advice only where something should change', () => {
    assert.deepEqual(advice(suggestion('fit', { memory: null })), []);
    assert.deepEqual(
      advice(suggestion('fit', { memory: null, asked_cpu: 1, busy_cpus: 2.04, cpu: 3 })),
      [['1 CPU', '2 CPUs', '3 CPUs']]
    );
  });
});
