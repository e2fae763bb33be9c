import { type Element, later, SILENCE, useBench } from './page';
import { fire } from './browser';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Log } from '../../types';
import { TaskLog } from '../taskLog';
import { log } from './builders';

const bench = useBench();
const LOG = 'GET runs/r1/tasks/fit/log';
const growing = (text: string, offset: number, attempt = 1): Log =>
  log(text, { offset, attempt, is_complete: false });

async function show(first: unknown): Promise<void> {
  bench().server.says(LOG, first);
  await bench().show(<TaskLog context={bench().context} runId="r1" task="fit" />);
}

const next = async (answer: unknown): Promise<void> => {
  bench().server.says(LOG, answer);
  await bench().wait(1000);
};
const text = (): string => bench().one('pre').textContent;
const offsets = (): string[] =>
  bench()
    .server.queries(LOG)
    .map(({ offset }) => offset);

describe('a log', () => {
  test('says that nothing is written yet, or that nothing was', async () => {
    await show(growing('', 0));
    assert.equal(bench().text, 'Nothing is written yet.');
    await next(log(''));
    assert.equal(bench().text, 'It wrote nothing.');
  });

  test('grows from where it was, each second, until it is complete', async () => {
    await show(growing('one\n', 4));
    await next(growing('', 4));
    await next(growing('two\n', 8));
    await next(log('three\n', { offset: 14 }));
    assert.equal(text(), 'one\ntwo\nthree\n');
    await bench().wait(60_000);
    assert.deepEqual(offsets(), ['0', '4', '4', '8']);
  });

  test('is not asked for twice at once, however slow the server is', async () => {
    const { answer, come } = later<Log>();
    await show(() => answer);
    await bench().wait(10_000);
    assert.equal(bench().server.count(LOG), 1);
    await bench().do(() => come(growing('late', 4)));
    assert.equal(text(), 'late');
  });

  test('begins anew with another attempt', async () => {
    await show(growing('first attempt', 13));
    await next(growing('of the second', 13, 2));
    await next(log('second', { attempt: 2 }));
    assert.equal(text(), 'second');
    assert.deepEqual(offsets(), ['0', '13', '0']);
  });

  test('keeps what is there while the server is away, and goes on', async () => {
    await show(growing('kept', 4));
    bench().server.says('GET status', SILENCE);
    await next(SILENCE);
    assert.equal(text(), 'kept');
    assert.equal(bench().model.connection, 'lost');
    await next(log(' and more', { offset: 13 }));
    assert.equal(text(), 'kept and more');
  });

  test('loses its beginning where it is very long, not its end', async () => {
    await show(growing('a'.repeat(399_999), 399_999));
    await next(log('bcd', { offset: 400_002 }));
    assert.equal(text().length, 400_000);
    assert.ok(text().startsWith('aa') && text().endsWith('abcd'));
  });

  test('is text, with the colors of a terminal and progress bars as they stand', async () => {
    await show(log('\x1b[32mok\x1b[0m <b>\n10%\r20%\r30%\n'));
    assert.equal(text(), 'ok <b>\n30%\n');
    assert.equal(bench().one('.jp-mlops-ansi-2').textContent, 'ok');
  });

  test('has a name, and takes the keys that scroll', async () => {
    await show(log('x'));
    assert.equal(bench().one('pre').getAttribute('aria-label'), 'Log of fit');
    assert.equal(bench().one('pre').getAttribute('tabindex'), '0');
  });

  test('is no longer asked for when nobody looks', async () => {
    await show(growing('x', 1));
    await bench().show(<div />);
    await bench().wait(10_000);
    assert.equal(bench().server.count(LOG), 1);
  });
});

describe('its end', () => {
  const scrolled = async (box: Element, top: number): Promise<void> => {
    Object.assign(box, { scrollTop: top, clientHeight: 100 });
    await bench().do(() => fire(box, 'scroll', {}, false));
  };

  test('is kept in view while it is there', async () => {
    await show(growing('x', 1));
    const box = bench().one('pre');
    box.scrollHeight = 900;
    await next(growing('y', 2));
    assert.equal(box.scrollTop, 900);
  });

  test('is not, once somebody has scrolled up to read', async () => {
    await show(growing('x', 1));
    const box = bench().one('pre');
    box.scrollHeight = 900;
    await scrolled(box, 300);
    await next(growing('y', 2));
    assert.equal(box.scrollTop, 300);
    await scrolled(box, 790); // back at the end, within a line
    await next(growing('z', 3));
    assert.equal(box.scrollTop, 900);
  });
});
