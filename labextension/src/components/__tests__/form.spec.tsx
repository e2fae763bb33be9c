import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Page, value } from '../../__tests__/page';
import { parameter, problem } from '../../__tests__/samples';
import type { Parameter } from '../../types';
import { Choice, Line } from '../fields';
import { Field, Form, type IFormProps, chosen, misfit } from '../form';

const LABELS = { submit: 'Run', force: 'Force', none: 'It takes nothing', cancel: 'Cancel' };

let page: Page;
let sent: [Record<string, string>, boolean][];

beforeEach(() => {
  page = new Page();
  sent = [];
});
afterEach(() => page.close());

const show = (parameters: Parameter[], more: Partial<IFormProps> = {}): Promise<void> =>
  page.show(
    <Form
      parameters={parameters}
      problems={[]}
      error=""
      isBusy={false}
      labels={LABELS}
      onSubmit={(texts, isForced) => sent.push([texts, isForced])}
      {...more}
    />
  );

describe('filling in', () => {
  test('nothing is sent of what was left as it is', async () => {
    await show([parameter('week'), parameter('mode', { type: 'str', default_text: 'fast' })]);
    await page.click('Run');
    assert.deepEqual(sent, [[{}, false]]);
  });

  test('what was changed is sent as it was written', async () => {
    await show([
      parameter('week'),
      parameter('mode', { type: 'str', choices: ['fast', 'slow'], default_text: 'fast' }),
      parameter('dry', { type: 'bool', default_text: 'False' }),
      parameter('names', { type: 'list', default_text: '["a"]' })
    ]);
    await page.type('week', '007');
    await page.type('mode', 'slow');
    await page.type('dry', 'True');
    await page.type('names', '["ä", "<b>"]');
    await page.click('Run');
    assert.deepEqual(sent, [
      [{ week: '007', mode: 'slow', dry: 'True', names: '["ä", "<b>"]' }, false]
    ]);
  });

  test('what was changed and changed back is as it was', async () => {
    await show([parameter('week')]);
    await page.type('week', '4');
    await page.type('week', '3');
    await page.click('Run');
    assert.deepEqual(sent, [[{}, false]]);
  });

  test('it begins with what is handed in, and sends that', async () => {
    await show([parameter('week'), parameter('mode', { type: 'str', default_text: 'fast' })], {
      initial: { week: '12', gone: 'x' }
    });
    assert.equal(value(page.field('week')), '12');
    await page.click('Run');
    assert.deepEqual(sent, [[{ week: '12' }, false]]); // of a parameter that is gone nothing is said
  });

  test('force is a choice of its own', async () => {
    await show([]);
    assert.match(page.text, /It takes nothing/);
    await page.click(page.field('Force'));
    await page.click('Run');
    await page.click(page.field('Force'));
    await page.click('Run');
    assert.deepEqual(
      sent.map(([, isForced]) => isForced),
      [true, false]
    );
  });

  test('force is not offered where it has no name', async () => {
    await show([], { labels: { ...LABELS, force: '' } });
    assert.equal(page.all('input').length, 0);
  });

  test('a second run is not started while the first is asked for', async () => {
    await show([parameter('week')], { isBusy: true });
    assert.ok(page.button('Run').disabled);
    await page.click('Run');
    assert.deepEqual(sent, []);
  });

  test('can be left, where somebody hears of it', async () => {
    let left = 0;
    await show([], { onCancel: () => (left += 1) });
    await page.click('Cancel');
    assert.equal(left, 1);
    assert.deepEqual(sent, []);
    await show([]);
    assert.ok(!page.has('Cancel'));
  });

  test('what stands below the parameters stands above the buttons', async () => {
    await show([parameter('week')], { children: <p>Queue and priority</p> });
    assert.match(page.text, /week.*Queue and priority.*Force.*Run/);
  });
});

describe('what does not fit', () => {
  test('is told when it was tried, not before, and nothing is sent', async () => {
    await show([parameter('week', { minimum: 2 }), parameter('days')]);
    await page.type('week', '1');
    assert.equal(page.all('[role="alert"]').length, 0);
    await page.click('Run');
    assert.equal(page.one('[role="alert"]').textContent, 'must be at least 2');
    assert.equal(page.field('week').getAttribute('aria-invalid'), 'true');
    assert.equal(page.field('days').getAttribute('aria-invalid'), null);
    assert.deepEqual(sent, []);
  });

  test('goes away while it is mended, and then it is sent', async () => {
    await show([parameter('week', { minimum: 2 })]);
    await page.type('week', '1');
    await page.click('Run');
    await page.type('week', '2');
    assert.equal(page.all('[role="alert"]').length, 0);
    await page.click('Run');
    assert.deepEqual(sent, [[{ week: '2' }, false]]);
  });

  test('what must be given is marked, and asked for', async () => {
    await show([parameter('week', { is_required: true, default_text: '' })]);
    assert.equal(page.field('week').getAttribute('aria-required'), 'true');
    assert.match(page.text, /int \*/);
    await page.click('Run');
    assert.equal(page.one('[role="alert"]').textContent, 'is required');
  });

  test('what the server says stands at the field beside what the form says', async () => {
    await show([parameter('week', { maximum: 51 })], {
      problems: [
        problem('no such week', { parameter: 'week', hint: 'there are 52' }),
        problem('no such parameter', { parameter: 'weak', hint: 'did you mean week' })
      ]
    });
    const alert = page.one('.jp-mlops-Field-wrong');
    assert.equal(alert.textContent, 'no such week; there are 52');
    assert.match(
      page.one('.jp-mlops-Problems').textContent,
      /no such parameter.*did you mean week/
    );
    await page.type('week', '60');
    await page.click('Run');
    assert.equal(
      page.one('.jp-mlops-Field-wrong').textContent,
      'must be at most 51. no such week; there are 52'
    );
  });

  test('an error that names no field stands above', async () => {
    await show([parameter('week')], { error: 'the disk is full' });
    assert.equal(page.one('[role="alert"]').textContent, 'the disk is full');
  });

  test('the help and the complaint of a field are both told with it', async () => {
    await show([parameter('week', { help: 'of the year' })], {
      problems: [problem('no', { parameter: 'week' })]
    });
    const told = page.field('week').getAttribute('aria-describedby')!.split(' ');
    assert.deepEqual(
      told.map(id => page.one(`#${id}`).textContent),
      ['of the year', 'no']
    );
  });
});

describe('the control of a field', () => {
  const draw = (changes: Partial<Parameter>, text: string): Promise<void> =>
    page.show(
      <Field
        parameter={parameter('it', changes)}
        text={text}
        messages={[]}
        onChange={() => undefined}
      />
    );
  const rows: [string, Partial<Parameter>, string, string, Record<string, string | null>][] = [
    ['a whole number', {}, '3', 'input', { type: 'number', step: '1', inputMode: 'decimal' }],
    ['a number', { type: 'float' }, '0.5', 'input', { type: 'number', step: 'any' }],
    ['a step of its own', { step: 5 }, '5', 'input', { step: '5' }],
    [
      'limits, also when they are 0',
      { minimum: 0, maximum: 0 },
      '0',
      'input',
      { min: '0', max: '0' }
    ],
    ['maybe a number: None is typed', { is_optional: true }, 'None', 'input', { type: 'text' }],
    ['a day', { type: 'date' }, '2026-01-01', 'input', { type: 'date' }],
    ['a moment', { type: 'datetime' }, '2026-01-01T12:00', 'input', { type: 'text' }],
    ['a word', { type: 'str' }, 'ü', 'input', { type: 'text', min: null, step: null }],
    ['a secret', { type: 'str', is_secret: true }, '', 'input', { placeholder: 'secret:NAME' }],
    ['a list', { type: 'list' }, '[1]', 'textarea', { rows: '2' }],
    ['a mapping', { type: 'dict' }, '{}', 'textarea', {}],
    ['a set', { type: 'set' }, '{1}', 'textarea', {}],
    ['lines', { type: 'str' }, 'a\nb\nc', 'textarea', { rows: '4' }],
    ['many lines', { type: 'str' }, 'x\n'.repeat(100), 'textarea', { rows: '8' }]
  ];
  for (const [what, changes, text, tag, attributes] of rows) {
    test(what, async () => {
      await draw(changes, text);
      const control = page.field('it');
      assert.equal(control.localName, tag);
      assert.equal(value(control), text);
      for (const [name, expected] of Object.entries(attributes)) {
        assert.equal(control.getAttribute(name), expected, name);
      }
    });
  }

  const options = (): string[] => page.all('option').map(one => one.textContent);

  test('yes and no are spelled as the notebook spells them', async () => {
    await draw({ type: 'bool', default_text: 'True' }, 'True');
    assert.deepEqual(options(), ['True', 'False']);
    await draw({ type: 'bool', default_text: 'true' }, 'true');
    assert.deepEqual(options(), ['true', 'false']);
  });

  test('choices may be numbers, and one that is none of them stays visible', async () => {
    await draw({ choices: [1, 2.5, 'x'] }, '9');
    assert.deepEqual(options(), ['9', '1', '2.5', 'x']);
    assert.equal(value(page.field('it')), '9');
  });

  test('a yes or no is always given, so that it is not marked as required', async () => {
    await draw({ type: 'bool', default_text: 'true', is_required: true }, 'true');
    assert.doesNotMatch(page.text, /\*/);
  });

  test('names and helps are text', async () => {
    await draw({ help: '<script>alert(1)</script>' }, '3');
    assert.equal(page.all('script').length, 0);
    assert.match(page.text, /<script>alert/);
  });
});

describe('by itself the form sees', () => {
  const rows: [string, string, Partial<Parameter>, string][] = [
    ['the least', '2', { minimum: 2 }, ''],
    ['the most', '51', { maximum: 51 }, ''],
    ['a least of 0', '-1', { minimum: 0 }, 'must be at least 0'],
    ['a most of 0', '1', { maximum: 0 }, 'must be at most 0'],
    ['just above', '0.1000001', { type: 'float', maximum: 0.1 }, 'must be at most 0.1'],
    ['a negative number', '-3', {}, ''],
    ['a huge number', '99999999999999999999', {}, ''],
    ['an infinite whole number', 'Infinity', {}, 'must be a whole number'],
    ['a comma', '1,5', { type: 'float' }, 'must be a number'],
    ['blanks alone, where it must be given', '  ', { is_required: true }, 'is required'],
    ['None, where it cannot be', 'None', {}, 'must be a whole number'],
    ['none, misspelled', 'none', { is_optional: true }, 'must be a whole number'],
    ['a list is read by the server', '[', { type: 'list' }, '']
  ];
  for (const [what, text, changes, expected] of rows) {
    test(what, () => assert.equal(misfit(parameter('x', changes), text), expected));
  }

  test('what is emptied is as at first; what nobody asks for is not sent', () => {
    const parameters = [parameter('a'), parameter('b')];
    assert.deepEqual(chosen(parameters, { a: '', b: '4', c: '5' }), { b: '4' });
    assert.deepEqual(chosen(parameters, {}), {});
  });
});

describe('plain fields', () => {
  test('a line has its label, and tells what is written', async () => {
    const said: string[] = [];
    await page.show(
      <Line
        label="Name <i>"
        value="a"
        placeholder="any"
        offers={['b', ['c', 'the third']]}
        onChange={text => said.push(text)}
      />
    );
    const field = page.field('Name <i>');
    assert.deepEqual(
      ['type', 'placeholder', 'aria-invalid', 'aria-describedby'].map(name =>
        field.getAttribute(name)
      ),
      ['text', 'any', null, null]
    );
    assert.equal(page.all('datalist')[0].id, field.getAttribute('list'));
    assert.deepEqual(
      page.all('option').map(one => [one.getAttribute('value'), one.textContent]),
      [
        ['b', ''],
        ['c', 'the third']
      ]
    );
    await page.type(field, 'ab');
    assert.deepEqual(said, ['ab']);
    assert.equal(value(field), 'a'); // who draws it decides
  });

  test('a choice shows words and tells values', async () => {
    const said: string[] = [];
    const choices = [
      ['', 'none'],
      ['gpu', 'One GPU']
    ] as const;
    await page.show(
      <Choice label="Unit" value="" choices={choices} onChange={text => said.push(text)} />
    );
    assert.equal(page.field('Unit').textContent, 'noneOne GPU');
    await page.type('Unit', 'gpu');
    assert.deepEqual(said, ['gpu']);
  });

  test('say what they are for and what is wrong with them, to a screen reader as well', async () => {
    const nothing = (): void => undefined;
    const more = { help: 'of <all>', messages: ['is odd', 'is long'] };
    await page.show(
      <>
        <Line label="Name" value="" {...more} onChange={nothing} />
        <Choice label="Unit" value="tpu" choices={[['gpu', 'GPU']]} {...more} onChange={nothing} />
      </>
    );
    for (const label of ['Name', 'Unit']) {
      const field = page.field(label);
      assert.equal(field.getAttribute('aria-invalid'), 'true');
      const told = String(field.getAttribute('aria-describedby'))
        .split(' ')
        .map(id => page.all('div').find(one => one.id === id)!.textContent);
      assert.deepEqual(told, ['of <all>', 'is odd. is long']);
    }
    assert.equal(page.all('[role=alert]').length, 2);
    assert.equal(page.field('Unit').textContent, 'tpuGPU'); // what it has is shown, known or not
  });

  test('two of the same label are two fields', async () => {
    const nothing = (): void => undefined;
    await page.show(
      <>
        <Line label="Name" value="1" onChange={nothing} />
        <Line label="Name" value="2" type="number" onChange={nothing} />
      </>
    );
    assert.equal(new Set(page.all('input').map(field => field.id)).size, 2);
  });
});
