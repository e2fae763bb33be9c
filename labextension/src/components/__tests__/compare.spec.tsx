import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page } from '../../__tests__/page';
import type { RunComparison } from '../../types';
import { Comparison, type ICompareLabels } from '../compare';

type ComparedTask = RunComparison['tasks'][number];
type ComparedValue = RunComparison['arguments'][number];
type ComparedCell = NonNullable<RunComparison['notebook']>['cells'][number];

const LABELS: ICompareLabels = {
  arguments: 'Arguments',
  tasks: 'Tasks',
  left: 'Left',
  right: 'Right',
  same: 'The cells are the same',
  notebook: 'Notebook',
  name: 'Name',
  showNotebook: 'Cells that differ'
};

const differs = (name: string, left: unknown, right: unknown): ComparedValue =>
  ({ name, left, right, is_same: left === right }) as ComparedValue;
const compared = (name: string, changes: Partial<ComparedTask> = {}): ComparedTask => ({
  task: name,
  left_state: 'succeeded',
  right_state: 'succeeded',
  left_seconds: 2,
  right_seconds: 3,
  arguments: [],
  results: [],
  artifacts: [],
  is_same_notebook: false,
  why: [],
  ...changes
});
const cell = (changes: Partial<ComparedCell> = {}): ComparedCell => ({
  kind: 'changed',
  cell_type: 'code',
  left: 1,
  right: 2,
  source: [],
  outputs: [],
  ...changes
});

let page: Page;
let asked: string[];
beforeEach(() => {
  page = new Page();
  asked = [];
});
afterEach(() => page.close());

const show = (
  tasks: ComparedTask[],
  more: { values?: ComparedValue[]; task?: string; cells?: ComparedCell[] | null } = {}
): Promise<void> =>
  page.show(
    <Comparison
      comparison={
        {
          arguments: more.values ?? [],
          tasks,
          notebook: more.cells ? { task: more.task, cells: more.cells } : null
        } as unknown as RunComparison
      }
      task={more.task ?? ''}
      labels={LABELS}
      onTask={name => asked.push(name)}
    />
  );
const texts = (selector: string): string[] => page.all(selector).map(one => one.textContent);

describe('values side by side', () => {
  const rows: [string, unknown, unknown, string[]][] = [
    ['a number that grew', 1, 3, ['1', '3+2']],
    ['one that shrank', 0.9, 0.85, ['0.9', '0.85−0.05']],
    ['the same number', 7, 7, ['7', '7']],
    ['what one of them lacks', null, 3, ['–', '3']],
    ['zero is a value', 0, 2, ['0', '2+2']],
    ['words', 'fast', '<b>slow</b>', ['fast', '<b>slow</b>']],
    ['a number that became a word', 1, '1', ['1', '1']],
    ['values with more in them', [1], { a: 2 }, ['[1]', '{"a":2}']],
    [
      'files',
      'blob://sha256/0123456789abcdef/a.csv',
      'blob://sha256/fedcba9876543210/a.csv',
      ['a.csv · 01234567', 'a.csv · fedcba98']
    ]
  ];
  for (const [what, left, right, expected] of rows) {
    test(what, async () => {
      await show([], { values: [differs('x', left, right)] });
      assert.deepEqual(texts('[role="cell"]'), expected);
      assert.equal(page.all('.jp-mod-differs').length, left === right ? 0 : 1);
      assert.equal(page.all('b').length, 0);
    });
  }

  test('how many arguments differ is said', async () => {
    await show([], { values: [differs('a', 1, 1), differs('b', 1, 2), differs('c', 1, 3)] });
    assert.deepEqual(texts('summary'), ['Arguments2', 'Tasks0']);
  });

  test('it is a table for a screen reader', async () => {
    await show([], { values: [differs('week', 1, 2)] });
    assert.equal(page.one('[role="table"] [role="row"] [role="rowheader"]').textContent, 'week');
  });
});

describe('tasks side by side', () => {
  test('each with both states and times', async () => {
    await show([compared('fit', { right_state: 'failed', right_seconds: null })]);
    assert.deepEqual(texts('.jp-mlops-Compare-side'), ['succeeded2.0s', 'failed']);
  });

  test('one that only one of them has, has nothing on the other side, and no cells to compare', async () => {
    await show([compared('new', { left_state: null, left_seconds: null })]);
    assert.match(page.one('[data-task="new"]').textContent, /^new–succeeded3.0s$/);
    assert.ok(!page.has('Cells that differ'));
  });

  test('why they differ is told once, without what stands above', async () => {
    await show([
      compared('fit', {
        arguments: [differs('week', 1, 2)],
        why: ['argument week: 1 → 2', 'code has changed', 'code has changed', 'kernel: a → b']
      })
    ]);
    assert.deepEqual(texts('.jp-mlops-Why li'), ['code has changed', 'kernel: a → b']);
  });

  test('of artifacts only those that differ are told', async () => {
    await show([
      compared('fit', { artifacts: [differs('same', 'x', 'x'), differs('data', 'x', 'y')] })
    ]);
    assert.deepEqual(texts('[role="rowheader"]'), ['data']);
  });

  const ran: [string, string | null, boolean][] = [
    ['succeeded', 'failed', true],
    ['cached', 'cached', true],
    ['succeeded', 'skipped', false],
    ['queued', 'running', false],
    ['succeeded', null, false]
  ];
  for (const [left, right, isOffered] of ran) {
    test(`cells of ${left} and ${right} are ${isOffered ? '' : 'not '}offered`, async () => {
      await show([
        compared('fit', { left_state: left, right_state: right } as Partial<ComparedTask>)
      ]);
      assert.equal(page.has('Cells that differ'), isOffered);
    });
  }

  test('cells of the same notebook are not offered', async () => {
    await show([compared('fit', { is_same_notebook: true })]);
    assert.ok(!page.has('Cells that differ'));
  });
});

describe('the cells', () => {
  test('are asked for, and put away again', async () => {
    await show([compared('fit')]);
    assert.equal(page.button('Cells that differ').getAttribute('aria-expanded'), 'false');
    await page.click('Cells that differ');
    await show([compared('fit')], { task: 'fit', cells: [] });
    assert.equal(page.button('Cells that differ').getAttribute('aria-expanded'), 'true');
    await page.click('Cells that differ');
    assert.deepEqual(asked, ['fit', '']);
  });

  test('while they are awaited, nothing is said of them', async () => {
    await show([compared('fit')], { task: 'fit', cells: null });
    assert.doesNotMatch(page.text, /the same/);
  });

  test('that are all the same say so', async () => {
    await show([compared('fit')], { task: 'fit', cells: [] });
    assert.match(page.text, /The cells are the same$/);
  });

  test('stand below their task alone', async () => {
    await show([compared('load'), compared('fit')], { task: 'fit', cells: [cell()] });
    assert.equal(page.all('[data-task="load"] .jp-mlops-Compare-cell').length, 0);
    assert.equal(page.all('[data-task="fit"] .jp-mlops-Compare-cell').length, 1);
  });

  test('tell which, and what became of them', async () => {
    await show([compared('fit')], {
      task: 'fit',
      cells: [
        cell({ left: 0, right: 0 }),
        cell({ kind: 'added', left: null, cell_type: 'markdown' }),
        cell({ kind: 'removed', right: null })
      ] as ComparedCell[]
    });
    assert.deepEqual(texts('.jp-mlops-Compare-cell'), [
      'code 0 → 0 · changed',
      'markdown – → 2 · added',
      'code 1 → – · removed'
    ]);
  });

  test('show lines by what became of them, in source and outputs', async () => {
    await show([compared('fit')], {
      task: 'fit',
      cells: [cell({ source: ['-a = 1', '+a = "<b>"', ' b'], outputs: ['+3'] })]
    });
    assert.equal(page.all('pre').length, 2);
    assert.deepEqual(texts('.jp-mod-added'), ['+a = "<b>"\n', '+3\n']);
    assert.deepEqual(texts('.jp-mod-removed'), ['-a = 1\n']);
    assert.equal(page.all('b').length, 0);
  });
});
