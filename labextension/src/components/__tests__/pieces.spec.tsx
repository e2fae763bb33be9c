import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page, value } from '../../__tests__/page';
import { problem } from '../../__tests__/samples';
import { ApiError, Disconnected } from '../../api';
import { Empty, Fact, Failure, Fold, Pager, Problems, Search, Waiting } from '../pieces';

let page: Page;
beforeEach(() => {
  page = new Page();
});
afterEach(() => page.close());

describe('what is said where there is nothing', () => {
  test('a line, and what to do about it where something can be done', async () => {
    await page.show(
      <Empty title="No runs yet">
        <button>Run one</button>
      </Empty>
    );
    assert.equal(page.text, 'No runs yetRun one');
    await page.show(<Empty title="No runs yet" />);
    assert.equal(page.one('.jp-mlops-Empty').children.length, 1);
  });

  test('while it is awaited a screen reader hears so', async () => {
    await page.show(<Waiting label="Loading" />);
    assert.equal(page.one('[role="status"]').textContent, 'Loading');
  });
});

describe('a failure', () => {
  const rows: [string, Error, string][] = [
    ['with its cure', new ApiError(409, 'c', 'it is over', 'rerun it'), 'it is overrerun it'],
    ['without a cure', new ApiError(500, 'c', 'it broke'), 'it broke'],
    ['no answer', new Disconnected(), 'the server does not answer'],
    ['a mistake of ours', new TypeError('x is undefined'), 'x is undefined'],
    ['markup stays text', new ApiError(400, 'c', '<b>no</b>', '<i>'), '<b>no</b><i>']
  ];
  for (const [what, error, text] of rows) {
    test(what, async () => {
      await page.show(<Failure error={error} />);
      assert.equal(page.one('[role="alert"]').textContent, text);
      assert.equal(page.all('button, b, i').length, 0);
    });
  }

  test('can be tried again where somebody can', async () => {
    let tries = 0;
    await page.show(
      <Failure error={new Disconnected()} retry="Try again" onRetry={() => (tries += 1)} />
    );
    await page.click('Try again');
    assert.equal(tries, 1);
  });
});

describe('problems', () => {
  test('errors and warnings are told apart by sign and by word', async () => {
    await page.show(
      <Problems problems={[problem('it is wrong'), problem('odd', { severity: 'warning' })]} />
    );
    assert.deepEqual(
      page.all('[role="img"]').map(sign => [sign.getAttribute('aria-label'), sign.textContent]),
      [
        ['error', '✘'],
        ['warning', '▲']
      ]
    );
  });

  test('each has its place and its cure, where they are known', async () => {
    await page.show(
      <Problems
        problems={[
          problem('no such task', { where: 'pipeline.yaml:3', hint: 'did you mean fit' }),
          problem('<b>', {})
        ]}
      />
    );
    const [first, second] = page.all('li');
    assert.equal(first.textContent, '✘pipeline.yaml:3no such taskdid you mean fit');
    assert.equal(second.textContent, '✘<b>');
    assert.equal(second.querySelectorAll('.jp-mlops-hint').length, 0);
  });

  test('the same twice is told twice, and none is nothing', async () => {
    await page.show(<Problems problems={[problem('a'), problem('a')]} />);
    assert.equal(page.all('li').length, 2);
    await page.show(<Problems problems={[]} />);
    assert.equal(page.html, '');
  });
});

describe('a search', () => {
  let said: string[];
  beforeEach(async () => {
    said = [];
    await page.show(<Search value="flig" label="Search runs" onChange={text => said.push(text)} />);
  });

  test('tells what is written', async () => {
    assert.equal(value(page.field('Search runs')), 'flig');
    await page.type('Search runs', 'flights & more');
    assert.deepEqual(said, ['flights & more']);
  });

  test('Escape empties it, other keys do not', async () => {
    const field = page.field('Search runs');
    await page.press(field, 'Enter');
    assert.deepEqual(said, []);
    await page.press(field, 'Escape');
    assert.deepEqual(said, ['']);
  });
});

describe('a pager', () => {
  let turned: number[];
  beforeEach(() => {
    turned = [];
  });
  const show = (total: number, offset: number, items = 50): Promise<void> =>
    page.show(
      <Pager
        page={{ items: Array(items), total, limit: 50, offset }}
        labels={{ previous: 'Newer', next: 'Older' }}
        onTurn={to => turned.push(to)}
      />
    );

  const rows: [string, number, number, number, string, boolean, boolean][] = [
    ['the first page', 120, 0, 50, '1–50 / 120', false, true],
    ['one between', 120, 50, 50, '51–100 / 120', true, true],
    ['the last page', 120, 100, 20, '101–120 / 120', true, false],
    ['a thousand pages', 50_000, 49_950, 50, '49,951–50,000 / 50,000', true, false],
    ['what became less than the page meanwhile', 10, 50, 0, '^‹0 / 10›$', true, false]
  ];
  for (const [what, total, offset, items, text, canGoBack, canGoOn] of rows) {
    test(what, async () => {
      await show(total, offset, items);
      assert.match(page.text, new RegExp(text));
      assert.equal(page.button('Newer').disabled, !canGoBack);
      assert.equal(page.button('Older').disabled, !canGoOn);
    });
  }

  test('turns by a page, and never before the beginning', async () => {
    await show(120, 50);
    await page.click('Older');
    await page.click('Newer');
    await show(120, 20);
    await page.click('Newer');
    assert.deepEqual(turned, [100, 0, 0]);
  });

  test('is away where one page holds all', async () => {
    for (const total of [0, 1, 50]) {
      await show(total, 0, total);
      assert.equal(page.html, '');
    }
  });
});

describe('facts and folds', () => {
  test('a fact has its name, whole in the tooltip', async () => {
    await page.show(
      <dl>
        <Fact name="a very long name">
          <b>3</b>
        </Fact>
      </dl>
    );
    assert.equal(page.one('dt').getAttribute('title'), 'a very long name');
    assert.equal(page.one('dd').textContent, '3');
  });

  test('a fold is open or closed, and says how many it holds, 0 too', async () => {
    await page.show(
      <>
        <Fold title="Tasks" count={0} isOpen>
          a
        </Fold>
        <Fold title="Options">b</Fold>
      </>
    );
    const [open, closed] = page.all('details');
    assert.ok(open.hasAttribute('open') && !closed.hasAttribute('open'));
    assert.deepEqual(
      page.all('summary').map(one => one.textContent),
      ['Tasks0', 'Options']
    );
  });
});
