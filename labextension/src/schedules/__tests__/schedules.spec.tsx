import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { trans } from '../../__tests__/samples';
import type { Schedule } from '../../types';
import { FireMark, ScheduleRow } from '../section';
import { fire, schedule } from './builders';
import { onClock, rank, until } from '../words';

const NOW = Date.parse('2026-03-29T00:00:00Z');
const FIRE = fire('succeeded', {
  fire_at: '2026-03-28T05:00:00Z',
  first_at: '2026-03-28T05:00:00Z',
  run_id: 'r1'
});
const SCHEDULE = schedule({
  next_at: '2026-03-30T04:00:00Z',
  due_at: '2026-03-30T04:00:00Z',
  last: FIRE
});
const row = (schedule: Schedule): string =>
  renderToStaticMarkup(
    <ScheduleRow schedule={schedule} now={NOW} trans={trans} onOpen={() => undefined} />
  );

describe('schedules', () => {
  it('says when it comes', () => {
    assert.equal(until('2026-03-29T03:00:00Z', NOW, trans), 'in 3h 00m');
    assert.equal(until('2026-04-09T00:00:00Z', NOW, trans), 'in 11 d');
    assert.equal(until('2026-03-28T23:59:00Z', NOW, trans), 'due');
    assert.equal(until(null, NOW, trans), 'never');
  });

  it('says how its runs wait for admission', () => {
    assert.equal(rank(SCHEDULE, trans), '');
    assert.equal(rank({ priority: -5, is_preemptible: true }, trans), '-5, may make way');
    assert.equal(rank({ priority: 5, is_preemptible: false }, trans), '5');
  });

  it('goes by the clock of the zone, also on the night when it is moved', () => {
    assert.equal(onClock('2026-03-29T00:30:00Z', 'Europe/Berlin'), 'Sun 2026-03-29 01:30');
    assert.equal(onClock('2026-03-29T01:30:00Z', 'Europe/Berlin'), 'Sun 2026-03-29 03:30');
  });

  it('shows what is paused, and what became of the last fire', () => {
    assert.match(row(SCHEDULE), /aria-label="succeeded"/);
    assert.match(row({ ...SCHEDULE, is_paused: true, next_at: null }), /paused/);
    assert.doesNotMatch(row({ ...SCHEDULE, last: null }), /jp-mlops-State/);
  });

  it('says why a fire was missed', () => {
    const markup = renderToStaticMarkup(<FireMark state="missed" reason="it was <paused>" />);
    assert.match(markup, /title="it was &lt;paused&gt;"/);
  });
});
