import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page, until } from '../../__tests__/page';
import { graph } from '../../__tests__/samples';
import { STATES, word } from '../../states';
import type { State } from '../../types';
import { Dag, type IDagProps, type IDagTask, bestDirection, edgePath } from '../dag';

let page: Page;
let chosen: string[];

beforeEach(() => {
  page = new Page();
  chosen = [];
});
afterEach(() => page.close());

const told = (state: State | null, detail = '', more: Partial<IDagTask> = {}): IDagTask => ({
  state,
  detail,
  ...more
});
const show = (
  ids: readonly string[],
  tasks: Record<string, IDagTask> = {},
  more: Partial<IDagProps> = {}
): Promise<void> =>
  page.show(
    <Dag
      graph={graph(ids)}
      label="flights"
      tasks={new Map(Object.entries(tasks))}
      onSelect={id => chosen.push(id)}
      {...more}
    />
  );
const node = (id: string) => page.one(`[data-task="${id}"]`);
const name = (id: string): string => node(id).getAttribute('aria-label')!;

describe('a task in the picture', () => {
  for (const state of STATES) {
    test(`that is ${state} says so by sign and by word`, async () => {
      const [wide] = graph(['load']).nodes.map(one => ({ ...one, width: 200 }));
      await show(['load'], { load: told(state) }, { graph: graph(['load'], { nodes: [wide] }) });
      assert.equal(name('load'), `load, ${word(state)}`);
      assert.ok(node('load').matches(`.jp-mod-${state}`));
      assert.equal(page.all('.jp-mlops-State-sign').length, 1);
      // what waits needs no word: all of them do at first
      const said = page.all('.jp-mlops-Dag-detail').map(one => one.textContent);
      assert.deepEqual(said, state === 'queued' ? [] : [word(state)]);
    });
  }

  test('has its time in place of the word', async () => {
    await show(['load'], { load: told('succeeded', '2.0s') });
    assert.equal(name('load'), 'load, succeeded, 2.0s');
    assert.equal(page.one('.jp-mlops-Dag-detail').textContent, '2.0s');
  });

  test('has no sign before anything ran', async () => {
    await show(['load']);
    assert.equal(name('load'), 'load');
    assert.ok(node('load').matches('.jp-mod-plain'));
    assert.equal(page.all('.jp-mlops-State').length, 0);
  });

  test('stands out when it is chosen, critical or wrong', async () => {
    await show(
      ['a', 'b', 'c'],
      { a: told('failed', '', { isCritical: true }), b: told(null, '', { problems: 2 }) },
      { selected: 'c' }
    );
    const marks = (id: string): string[] =>
      node(id).className.match(/jp-mod-(critical|wrong|selected)/g) ?? [];
    assert.deepEqual(['a', 'b', 'c'].map(marks), [
      ['jp-mod-critical'],
      ['jp-mod-wrong'],
      ['jp-mod-selected']
    ]);
    assert.equal(node('c').getAttribute('aria-pressed'), 'true');
    assert.equal(node('a').getAttribute('aria-pressed'), 'false');
  });

  test('of a matrix looks like a stack', async () => {
    const one = graph(['fit']);
    await page.show(
      <Dag graph={{ ...one, nodes: [{ ...one.nodes[0], kind: 'matrix' }] }} label="x" />
    );
    assert.equal(page.all('.jp-mlops-Dag-stack').length, 1);
  });

  test('with a long name is cut in the picture, and whole in its tooltip', async () => {
    const long = 'übertragen_und_prüfen_für_alle_Flughäfen';
    await show([long], { [long]: told('running', 'cell 2/9') });
    const label = page.one('.jp-mlops-Dag-label').textContent;
    assert.match(label, /^übert.*…$/);
    assert.ok(label.length < 15);
    assert.equal(page.all('title').at(-1)!.textContent, `${long}, running, cell 2/9`);
    await show([long], { [long]: told('running', 'cell 2/9') }, { isSmall: true });
    assert.ok(page.one('.jp-mlops-Dag-label').textContent.length < label.length); // larger letters
  });

  test('is text, whatever its name holds', async () => {
    await show(['<img src=x onerror=1>']);
    assert.equal(page.all('img').length, 0);
  });
});

describe('choosing', () => {
  test('by a click, and by Enter or Space', async () => {
    await show(['load', 'train']);
    await page.click(node('train'));
    assert.equal(await page.press(node('load'), 'Enter'), true); // Space would scroll
    assert.equal(await page.press(node('train'), ' '), true);
    assert.deepEqual(chosen, ['train', 'load', 'train']);
  });

  test('other keys are left to the page', async () => {
    await show(['load']);
    assert.equal(await page.press(node('load'), 'Tab'), false);
    assert.equal(await page.press(node('load'), 'ArrowDown'), false);
    assert.deepEqual(chosen, []);
  });

  test('each task is reached by Tab', async () => {
    await show(['load', 'train']);
    assert.deepEqual(
      page.all('[role="button"]').map(one => one.getAttribute('tabindex')),
      ['0', '0']
    );
  });

  test('a picture to look at only is no button', async () => {
    await show(['load'], {}, { onSelect: undefined });
    assert.equal(node('load').getAttribute('role'), 'img');
    assert.equal(node('load').getAttribute('tabindex'), null);
    await page.click(node('load'));
    assert.equal(await page.press(node('load'), 'Enter'), false);
    assert.deepEqual(chosen, []);
  });
});

describe('edges', () => {
  const edges = (mark: string): string[] =>
    page.all(`.jp-mlops-Dag-edge${mark} title`).map(one => one.textContent);

  test('into what runs are active; those of the chosen task are near', async () => {
    await show(
      ['a', 'b', 'c', 'd'],
      { a: told('succeeded'), b: told('running') },
      { selected: 'c' }
    );
    assert.deepEqual(edges(''), ['a → b', 'b → c', 'c → d']);
    assert.deepEqual(edges('.jp-mod-active'), ['a → b']);
    assert.deepEqual(edges('.jp-mod-near'), ['b → c', 'c → d']);
  });

  test('have their head where they arrive', async () => {
    await show(['a', 'b']);
    assert.equal(page.one('.jp-mlops-Dag-head').getAttribute('d'), 'M163 39v8l7-4z');
    await page.show(<Dag graph={graph(['a', 'b'], { direction: 'down' })} label="x" />);
    assert.equal(page.one('.jp-mlops-Dag-head').getAttribute('d'), 'M166 36h8l-4 7z');
  });

  test('run straight within a layer, curved between two', () => {
    const through = [
      [0, 0],
      [50, 30],
      [150, 30],
      [200, 0]
    ];
    assert.match(edgePath(through, false), /^M0 0C[\d .]+ 50 30L150 30C[\d .]+ 194 0$/);
    const turned = through.map(([x, y]) => [y, x]);
    assert.match(edgePath(turned, true), /^M0 0C[\d .]+ 30 50L30 150C[\d .]+ 0 194$/);
  });
});

describe('the whole', () => {
  test('has its name, and becomes no smaller than can be read', async () => {
    await show(['a', 'b'], {}, { leastScale: 0.5 });
    const svg = page.one('svg');
    assert.equal(svg.getAttribute('aria-label'), 'flights');
    assert.equal(svg.getAttribute('role'), 'group');
    assert.equal(svg.getAttribute('viewBox'), '0 0 340 86');
    assert.equal(svg.style.minWidth, '170px');
    assert.equal(svg.style.maxWidth, '340px');
  });

  test('of nothing is empty', async () => {
    await page.show(<Dag graph={graph([], { width: 0, height: 0 })} label="x" />);
    assert.equal(page.all('.jp-mlops-Dag-node').length, 0);
  });

  test('of hundreds is drawn a part at a time, and then whole', async () => {
    const ids = Array.from({ length: 350 }, (_, index) => `t${index}`);
    await show(ids);
    const first = page.all('.jp-mlops-Dag-node').length;
    assert.ok(first >= 100 && first < 350, `${first}`);
    await until(() => page.all('.jp-mlops-Dag-node').length === 350);
    assert.equal(page.all('.jp-mlops-Dag-edge').length, 349);
  });

  test('turns downward only where that is narrower', () => {
    const chain = graph(['a', 'b', 'c', 'd']); // 640 wide
    const rows: [number, string][] = [
      [0, 'right'],
      [544, 'right'], // a little smaller is still legible
      [543, 'down'],
      [1, 'down']
    ];
    for (const [room, direction] of rows) {
      assert.equal(bestDirection(chain, room), direction, `${room}`);
    }
    assert.equal(bestDirection(graph([], { width: 0 }), 10), 'right');
  });
});
