import {
  all,
  around,
  button,
  click,
  field,
  fill,
  hasButton,
  key,
  leave,
  one,
  options,
  show,
  type,
  valueOf
} from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Choice, Entry, type IChoice, type IEntry } from '../fields';
import type { IPlaced } from '../outline';

const wrong = (message: string, changes: Partial<IPlaced> = {}): IPlaced => ({
  message,
  severity: 'error',
  task: 'fit',
  key: 'when',
  ...changes
});

/** An entry, and the texts that it committed. */
function entry(changes: Partial<IEntry> = {}) {
  const said: string[] = [];
  const make = (more: Partial<IEntry> = {}) => (
    <Entry
      label="Name"
      value="fit"
      onCommit={text => void said.push(text)}
      {...changes}
      {...more}
    />
  );
  const shown = show(make());
  return {
    ...shown,
    said,
    input: field(shown.root, changes.label ?? 'Name'),
    become: (more: Partial<IEntry>) => shown.again(make(more))
  };
}

describe('a field of text', () => {
  it('counts once it is left, and not with every letter', () => {
    const { input, said } = entry();
    type(input, 'fi');
    type(input, 'fit2');
    assert.deepEqual(said, []);
    leave(input);
    assert.deepEqual(said, ['fit2']);
  });

  it('counts with Enter, too', () => {
    const { input, said } = entry();
    type(input, 'train');
    key(input, 'Enter');
    assert.deepEqual(said, ['train']);
  });

  it('says nothing where nothing changed', () => {
    const { input, said } = entry();
    leave(input);
    key(input, 'Enter');
    type(input, 'other');
    type(input, 'fit');
    leave(input);
    assert.deepEqual(said, []);
  });

  it('takes back what was typed with Escape', () => {
    const { input, said } = entry();
    type(input, 'oops');
    key(input, 'Escape');
    assert.equal(valueOf(input), 'fit');
    leave(input);
    assert.deepEqual(said, []);
  });

  it('keeps other keys for itself', () => {
    const { input, said } = entry();
    type(input, 'x');
    for (const name of ['Tab', 'a', 'ArrowDown', 'Delete']) {
      assert.ok(!key(input, name).defaultPrevented, name);
    }
    assert.deepEqual(said, []);
    assert.equal(valueOf(input), 'x');
  });

  it('shows what the document says when that changes under it', () => {
    const { input, become, said } = entry();
    type(input, 'half wri');
    become({ value: 'by somebody else' });
    assert.equal(valueOf(input), 'by somebody else');
    leave(input);
    assert.deepEqual(said, []);
  });

  it('is emptied again where its text has gone elsewhere, and says it once', () => {
    let times = 0;
    const { input } = entry({ value: '', onCommit: text => (times++, text === 'fine') });
    type(input, 'fine');
    key(input, 'Enter');
    assert.equal(valueOf(input), '');
    leave(input);
    assert.equal(times, 1);
    fill(input, 'odd');
    assert.equal(valueOf(input), 'odd');
  });

  it('says an emptied field as an empty text', () => {
    const { input, said } = entry();
    fill(input, '');
    assert.deepEqual(said, ['']);
  });

  it('keeps any characters as they are', () => {
    const { input, said } = entry({ value: '' });
    const texts = ['Über 9 Wochen', '航班', '<b>&amp;</b>', '🛫'.repeat(300), 'it\'s "so"'];
    texts.forEach(text => fill(input, text));
    assert.deepEqual(said, texts);
  });

  it('is told apart from others of the same label', () => {
    const { root } = show(
      <>
        <Entry label="Name" value="a" onCommit={() => undefined} />
        <Entry label="Name" value="b" onCommit={() => undefined} />
      </>
    );
    const ids = all(root, 'input').map(({ id }) => id);
    assert.equal(new Set(ids).size, 2);
    assert.deepEqual(
      all(root, 'label').map(label => label.getAttribute('for')),
      ids
    );
  });

  it('offers what might be meant, each by its own list', () => {
    const { root, input } = entry({ offers: ['${params.week}', '${run.id}'] });
    const list = one(root, 'datalist');
    assert.equal(input.getAttribute('list'), list.id);
    assert.deepEqual(all(list, 'option').map(valueOf), ['${params.week}', '${run.id}']);
    assert.equal(entry({ offers: [] }).input.getAttribute('list'), null);
  });

  it('cannot be written in where it is locked', () => {
    const { root, input } = entry({ isDisabled: true, onRemove: () => assert.fail('removed') });
    assert.ok(input.disabled);
    assert.deepEqual(all(root, 'button'), []);
  });

  it('can be taken away where somebody may', () => {
    let times = 0;
    const { root, said } = entry({ onRemove: () => times++, removeLabel: 'Do not give week' });
    const cross = button(root, 'Do not give week');
    assert.equal(cross.getAttribute('type'), 'button'); // it sends no form
    assert.equal(cross.getAttribute('title'), 'Do not give week');
    click(cross);
    assert.equal(times, 1);
    assert.deepEqual(said, []);
    assert.ok(!hasButton(entry().root, '×'));
  });

  it('shows its type, its help, its example, and what stands behind it', () => {
    const { root, input } = entry({
      note: 'int *',
      help: 'which <week>',
      placeholder: '20',
      extra: <em>extra</em>
    });
    assert.equal(one(root, '.jp-mlops-Field-type').textContent, 'int *');
    assert.equal(one(root, '.jp-mlops-Field-help').textContent, 'which <week>');
    assert.equal(input.getAttribute('placeholder'), '20');
    assert.equal(one(root, 'em').parentNode, input.parentNode);
  });

  it('is not corrected by the browser', () => {
    const { input } = entry({ isCode: true });
    assert.equal(input.getAttribute('spellcheck'), 'false');
    assert.equal(input.getAttribute('autoComplete'), 'off');
    assert.ok(input.matches('.jp-mod-code'));
  });
});

describe('a long text', () => {
  const rows = (value: string): string | null =>
    entry({ value, isLong: true }).input.getAttribute('rows');

  it('gets as many lines as it needs, within bounds', () => {
    const cases: [string, string][] = [
      ['', '2'],
      ['short', '2'],
      ['x'.repeat(34), '2'],
      ['x'.repeat(34 * 2 + 1), '3'],
      ['a\nb\nc\nd', '4'],
      [`a\n${'x'.repeat(69)}`, '4'],
      ['line\n'.repeat(100), '7'],
      ['x'.repeat(100_000), '7']
    ];
    cases.forEach(([text, expected]) => assert.equal(rows(text), expected, text.slice(0, 40)));
  });

  it('takes Enter as a new line, and counts when it is left', () => {
    const { input, said } = entry({ isLong: true });
    assert.ok(input.localName === 'textarea');
    type(input, 'one\ntwo');
    key(input, 'Enter');
    assert.deepEqual(said, []);
    leave(input);
    assert.deepEqual(said, ['one\ntwo']);
  });
});

describe('problems of a field', () => {
  it('are read out with it: messages and hints', () => {
    const { root, input } = entry({
      problems: [wrong('no such week', { hint: 'try 3' }), wrong('and <b>odd</b>')]
    });
    const said = one(root, '.jp-mlops-Field-wrong');
    assert.deepEqual(
      said.childNodes.map(({ textContent }) => textContent),
      ['no such week; try 3', 'and <b>odd</b>']
    );
    assert.equal(said.getAttribute('role'), 'alert');
    assert.equal(input.getAttribute('aria-describedby'), said.id);
    assert.equal(input.getAttribute('aria-invalid'), 'true');
    assert.ok(around(input).matches('.jp-mod-wrong'));
  });

  it('that are only warnings do not make it invalid', () => {
    const { input } = entry({ problems: [wrong('slow', { severity: 'warning' })] });
    assert.equal(input.getAttribute('aria-invalid'), null);
    assert.ok(around(input).matches('.jp-mod-warning') && !around(input).matches('.jp-mod-wrong'));
  });

  it('without a severity count as errors', () => {
    assert.ok(
      around(entry({ problems: [wrong('x', { severity: undefined })] }).input).matches(
        '.jp-mod-wrong'
      )
    );
  });

  it('leave no trace where there are none', () => {
    const { root, input } = entry({ problems: [] });
    assert.equal(input.getAttribute('aria-describedby'), null);
    assert.deepEqual(all(root, '.jp-mlops-Field-wrong'), []);
    assert.equal(around(input).getAttribute('class'), 'jp-mlops-Field');
  });
});

describe('a field with few answers', () => {
  function choice(changes: Partial<IChoice> = {}) {
    const said: string[] = [];
    const { root } = show(
      <Choice
        label="Cache"
        value="true"
        choices={[
          ['', 'as usual'],
          ['true', 'yes'],
          ['false', 'never']
        ]}
        onCommit={value => said.push(value)}
        {...changes}
      />
    );
    return { root, said, select: field(root, 'Cache') };
  }

  it('shows the words and says the value', () => {
    const { select, said } = choice();
    assert.deepEqual(options(select), ['as usual', 'yes', 'never']);
    assert.equal(valueOf(select), 'true');
    type(select, 'false');
    type(select, '');
    assert.deepEqual(said, ['false', '']);
  });

  it('shows a value that is none of them as it is written', () => {
    const { select } = choice({ value: '${params.cache}' });
    assert.deepEqual(options(select), ['${params.cache}', 'as usual', 'yes', 'never']);
    assert.equal(valueOf(select), '${params.cache}');
  });

  it('can be locked, and tells what is wrong', () => {
    const { root, select } = choice({ isDisabled: true, problems: [wrong('not now')] });
    assert.ok(select.disabled);
    assert.match(root.textContent, /not now/);
  });
});
