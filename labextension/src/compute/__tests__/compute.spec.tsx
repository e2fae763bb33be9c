import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { NO_RESOURCES as NONE, trans } from '../../__tests__/samples';
import type { Compute } from '../../types';
import { asks, ComputeView, Meter } from '../section';

const COMPUTE: Compute = {
  backend: 'local',
  units: [
    {
      name: 'here',
      kind: 'machine',
      count: 2,
      cpu: 2,
      memory_bytes: 8 * 2 ** 30,
      gpu: 1,
      accelerator: 'a100',
      in_use: {
        tasks: 1,
        cpu: 2,
        memory_bytes: 2 ** 30,
        gpu: 0,
        load_percent: 50,
        used_memory_bytes: 4 * 2 ** 30
      }
    }
  ],
  running: [
    {
      run_id: 'r',
      pipeline: 'flights',
      task: 'pull',
      resources: { ...NONE, cpu: 1 },
      worker: 'w0',
      user_name: 'ada',
      started_at: '2026-01-01T00:00:00Z',
      duration_seconds: 3,
      cell: 2,
      cells: 9
    }
  ],
  waiting: [
    {
      run_id: 'r',
      pipeline: 'flights',
      task: 'train',
      resources: NONE,
      why: 'waits for <pull>',
      since: '2026-01-01T00:00:00Z',
      user_name: 'ada'
    }
  ]
};

describe('compute', () => {
  it('shows units, what runs where, and who waits why', () => {
    const now = Date.parse('2026-01-01T00:00:12Z');
    const html = renderToStaticMarkup(
      <ComputeView compute={COMPUTE} now={now} trans={trans} onOpen={() => undefined} />
    );
    assert.match(html, /here.*1 of 2 places.*jp-mod-full.*Cores.*a100/s);
    assert.match(html, /pull.*12s.*flights · 1 core · w0 · cell 2\/9/s);
    assert.match(html, /train.*waits for &lt;pull&gt;/s);
  });

  it('says that nothing runs', () => {
    const html = renderToStaticMarkup(
      <ComputeView
        compute={{ ...COMPUTE, running: [], waiting: [] }}
        now={0}
        trans={trans}
        onOpen={() => undefined}
      />
    );
    assert.match(html, /Nothing runs.*Nobody waits/s);
  });

  it('does not go beyond what there is', () => {
    const html = renderToStaticMarkup(
      <Meter label="x" asked={9} measured={null} all={4} shown={String} trans={trans} />
    );
    assert.match(html, /width:100%/);
    const none = renderToStaticMarkup(
      <Meter label="x" asked={0} measured={0} all={0} shown={String} trans={trans} />
    );
    assert.match(none, /width:0%/);
  });

  it('tells what a task asks for', () => {
    const task = {
      ...COMPUTE.waiting[0],
      resources: { ...NONE, cpu: 2, memory_bytes: 2 ** 30, gpu: 1 }
    };
    assert.equal(asks(task, trans), '2 cores, 1.0 GiB, 1 GPU');
  });
});
