import { all, button, click, nameOf, one, show } from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { IPlaced } from '../outline';
import { type IToolbar, Toolbar } from '../toolbar';
import { never, placed, SharedText, trans } from './builders';

const warning = (message: string): IPlaced => placed(message, { severity: 'warning' });

function toolbar(changes: Partial<IToolbar> = {}) {
  const shared = new SharedText('a');
  const { root } = show(
    <Toolbar
      trans={trans}
      shared={shared}
      text="a"
      problems={[]}
      isFresh
      isReadOnly={false}
      onAdd={never('adding')}
      onOpenText={never('the text')}
      onRun={never('a run')}
      onProblem={never('a problem')}
      {...changes}
    />
  );
  return { root, shared, verdict: one(root, '.jp-mlops-Editor-verdict') };
}

describe('the toolbar', () => {
  it('is one, with a name, and each button has one', () => {
    const { root } = toolbar();
    const bar = one(root, '.jp-mlops-Editor-toolbar');
    assert.equal(bar.getAttribute('role'), 'toolbar');
    assert.equal(bar.getAttribute('aria-label'), 'Pipeline editor');
    assert.deepEqual(all(root, 'button').map(nameOf), [
      'Add notebook',
      'Undo',
      'Redo',
      'Open as text',
      'Run…',
      '✔No problems'
    ]);
  });

  it('does what its buttons say', () => {
    const done: string[] = [];
    const { root } = toolbar({
      onAdd: () => done.push('add'),
      onOpenText: () => done.push('text'),
      onRun: () => done.push('run')
    });
    ['Add notebook', 'Open as text', 'Run…'].forEach(name => click(button(root, name)));
    assert.deepEqual(done, ['add', 'text', 'run']);
  });

  it('can take back and do again only where there is something', () => {
    const { root } = toolbar();
    assert.ok(button(root, 'Undo').disabled && button(root, 'Redo').disabled);

    const shared = new SharedText('a');
    shared.updateSource(0, 1, 'b');
    const changed = toolbar({ shared });
    assert.ok(!button(changed.root, 'Undo').disabled && button(changed.root, 'Redo').disabled);
    click(button(changed.root, 'Undo'));
    assert.equal(shared.getSource(), 'a');

    const undone = toolbar({ shared });
    assert.ok(button(undone.root, 'Undo').disabled);
    click(button(undone.root, 'Redo'));
    assert.equal(shared.getSource(), 'b');
  });

  it('adds nothing where nothing may be changed, but still runs and shows the text', () => {
    const { root } = toolbar({ isReadOnly: true });
    assert.ok(button(root, 'Add notebook').disabled);
    assert.ok(!button(root, 'Run…').disabled && !button(root, 'Open as text').disabled);
  });

  it('runs nothing with errors in it; warnings do not matter', () => {
    assert.ok(button(toolbar({ problems: [placed('x')] }).root, 'Run…').disabled);
    assert.ok(!button(toolbar({ problems: [warning('x')] }).root, 'Run…').disabled);
  });
});

describe('the verdict', () => {
  const cases: [string, IPlaced[], string, string][] = [
    ['nothing', [], '✔No problems', 'jp-mod-fine'],
    ['an error', [placed('a')], '✘1 problem', 'jp-mod-error'],
    ['errors', [placed('a'), placed('b')], '✘2 problems', 'jp-mod-error'],
    ['a warning', [warning('a')], '▲1 warning', 'jp-mod-warning'],
    ['warnings', [warning('a'), warning('b')], '▲2 warnings', 'jp-mod-warning'],
    ['both: errors count', [warning('a'), placed('b')], '✘1 problem', 'jp-mod-error'],
    ['no severity', [placed('a', { severity: undefined })], '✘1 problem', 'jp-mod-error']
  ];
  cases.forEach(([title, problems, text, kind]) =>
    it(`of ${title}`, () => {
      const { verdict } = toolbar({ problems });
      assert.equal(verdict.textContent, text);
      assert.ok(verdict.matches(`.${kind}`));
      assert.equal(verdict.disabled, problems.length === 0);
      assert.equal(
        verdict.getAttribute('title'),
        problems.map(({ message }) => message).join('\n')
      );
    })
  );

  it('leads to the first error, or to the first warning', () => {
    const found: string[] = [];
    const onProblem = ({ message }: IPlaced): void => void found.push(message);
    click(toolbar({ problems: [warning('w'), placed('e'), placed('f')], onProblem }).verdict);
    click(toolbar({ problems: [warning('w'), warning('v')], onProblem }).verdict);
    click(toolbar({ onProblem }).verdict);
    assert.deepEqual(found, ['e', 'w']);
  });

  it('says when it is that of an older text', () => {
    assert.ok(toolbar({ isFresh: false }).verdict.matches('.jp-mod-stale'));
    assert.ok(!toolbar().verdict.matches('.jp-mod-stale'));
  });
});
