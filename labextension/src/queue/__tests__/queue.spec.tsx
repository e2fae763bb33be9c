import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';
import { AT_FIRST, queueOptions } from '../../panels/queueFields';
import { trans } from '../../__tests__/samples';
import { Entry, QuotaBar } from '../view';
import { ahead, limited, ofWhom, used } from '../words';
import { entry as waits, quota } from './builders';

const entry = waits();
const now = Date.parse('2026-11-26T10:00:00Z');
const idle = { onOpen: () => {}, onHold: () => {}, onMove: () => {} };

test('a forecast is about as exact as it is', () => {
  const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();
  const shown = [at(0.2), at(12), at(300), at(5000)].map(start => ahead(start, now, trans));
  assert.deepEqual(shown, ['about to start', 'about 12 min', 'about 5 h', 'about 3 d']);
  assert.equal(ahead(null, now, trans), '');
});

test('who waits says why and may be held by whom it belongs to', () => {
  const html = renderToStaticMarkup(<Entry entry={entry} now={now} trans={trans} {...idle} />);
  assert.match(html, /waits for 1 gpu; about 12 min/);
  assert.match(html, /ana · night · priority 5 · preemptible/);
  assert.match(html, />Hold</);
  const others = { ...entry, may_change: false };
  const told = renderToStaticMarkup(<Entry entry={others} now={now} trans={trans} {...idle} />);
  assert.doesNotMatch(told, />Hold</);
  const held = { ...entry, state: 'held' as const };
  const shown = renderToStaticMarkup(<Entry entry={held} now={now} trans={trans} {...idle} />);
  assert.match(shown, />Release</);
});

test('a quota says whose and how much', () => {
  assert.equal(used(quota()), '4 / 4');
  assert.equal(
    used(quota({ resource: 'memory', used: 2 ** 30, limit: 2 ** 32 })),
    '1.0 GiB / 4.0 GiB'
  );
  assert.equal(used(quota({ resource: 'cost', used: 20.1, limit: 100 })), '$20.10 / $100');
  assert.equal(ofWhom(quota({ scope: 'group', name: 'research' }), trans), 'group research');
  assert.equal(
    limited(quota({ resource: 'gpu_hours', is_monthly: true }), trans),
    'gpu hours this month'
  );
  const html = renderToStaticMarkup(<QuotaBar limit={quota()} trans={trans} />);
  assert.match(html, /jp-mod-full/);
  assert.match(html, /role="meter"/);
});

test('only what was chosen is sent', () => {
  assert.deepEqual(queueOptions(AT_FIRST), {});
  assert.deepEqual(queueOptions({ queue: 'night', priority: '-5', isPreemptible: true }), {
    queue: 'night',
    priority: -5,
    is_preemptible: true
  });
});
