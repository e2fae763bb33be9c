import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ReactElement, useState } from 'react';

import { act } from '../../__tests__/deeds';
import { type Answers, type Page as Shown, Page, refuse } from '../../models/__tests__/page';
import type { IContext } from '../../tokens';
import { outline, type IPlaced } from '../outline';
import { EditError } from '../places';
import { PipelineForm } from '../pipelineForm';
import { placed } from './builders';

const TEXT = `name: flights
parameters:
  week: 20
tasks: {}
schedules:
  weekly:
    cron: 0 6 * * MON   # not on Sundays
    timezone: Europe/Berlin
`;
const NO_QUOTAS = { is_set: false, user_name: '', group_name: '', queues: [], limits: [] };
const NEXT = ['2026-01-05T05:00:00Z', '2026-01-12T05:00:00Z'];

/** What the document says, and each change of it. */
class Document {
  readonly changes: string[] = [];
  readonly complaints: string[] = [];
  readonly active: string[] = [];
  become: (text: string) => void = () => undefined;
  constructor(public text: string) {}
}

function Form(props: {
  document: Document;
  context: IContext;
  problems: readonly IPlaced[];
  isReadOnly: boolean;
}): ReactElement {
  const { document, context } = props;
  const [, setText] = useState(document.text);
  document.become = text => {
    document.text = text;
    setText(text);
  };
  return (
    <PipelineForm
      context={context}
      pipeline={outline(document.text)}
      problems={props.problems}
      isReadOnly={props.isReadOnly}
      trans={context.trans}
      onActivate={name => document.active.push(name)}
      edit={change => {
        try {
          const made = change(document.text);
          if (made !== document.text) {
            document.changes.push(made);
            document.become(made);
          }
          return true;
        } catch (error) {
          assert.ok(error instanceof EditError);
          document.complaints.push(error.message);
          return false;
        }
      }}
    />
  );
}

async function show(
  text = TEXT,
  {
    problems = [],
    isReadOnly = false,
    ...answers
  }: Answers & {
    problems?: readonly IPlaced[];
    isReadOnly?: boolean;
  } = {}
): Promise<{ page: Shown; document: Document }> {
  const document = new Document(text);
  const page = await Page.of(
    {
      'GET cron': { expression: '0 6 * * MON', timezone: 'Europe/Berlin', next: NEXT },
      'GET quotas': NO_QUOTAS,
      ...answers
    },
    context => (
      <Form document={document} context={context} problems={problems} isReadOnly={isReadOnly} />
    )
  );
  return { page, document };
}

const folded = (page: Shown, title: string) =>
  page.all('details').find(one => one.children[0].textContent.startsWith(title))!;

describe("a schedule of a pipeline's file", () => {
  test('is told while it is folded, and is what the file says', async () => {
    const { page } = await show();
    assert.equal(folded(page, 'weekly').children[0].textContent, 'weekly0 6 * * MON');
    assert.equal(folded(page, 'weekly').getAttribute('open'), null);
    assert.equal(page.field('Cron').value, '0 6 * * MON');
    assert.equal(page.field('Time zone').value, 'Europe/Berlin');
    assert.match(page.one('.jp-mlops-NextFires').textContent, /Mon 2026-01-05 06:00/);
    assert.equal(page.field('week int').getAttribute('placeholder'), '20');
  });

  test('is changed once a field is left, as one step; its next fires are shown as it is typed', async () => {
    const { page, document } = await show();
    const cron = page.field('Cron');
    await page.fill(cron, '0 7 * * ');
    await page.fill(cron, '0 7 * * TUE');
    assert.deepEqual(document.changes, []);
    page.requests();
    await page.pass(250);
    assert.match(page.requests().join(), /GET cron\?expression=0\+7\+\*\+\*\+TUE/);
    await page.leave(cron);
    assert.deepEqual(document.changes, [TEXT.replace('0 6 * * MON', '0 7 * * TUE')]);
  });

  test('is changed by Enter, and as it was by Escape', async () => {
    const { page, document } = await show();
    await page.fill('Time zone', 'UTC');
    await page.press(page.field('Time zone'), 'Escape');
    assert.equal(page.field('Time zone').value, 'Europe/Berlin');
    await page.fill('Time zone', 'UTC');
    await page.press(page.field('Time zone'), 'Enter');
    assert.deepEqual(document.changes, [TEXT.replace('Europe/Berlin', 'UTC')]);
  });

  test('is changed at once by what is chosen: it pauses, waits, catches up', async () => {
    const { page, document } = await show();
    await page.click(page.field(/^Paused/));
    await page.fill('While an earlier run goes on', 'queue');
    await page.fill('Fires that were missed', 'none');
    assert.equal(
      document.text,
      `${TEXT}    paused: true\n    overlap: queue\n    catch_up: none\n`
    );
    assert.equal(document.changes.length, 3);
    assert.equal(folded(page, 'weekly').children[0].textContent, 'weeklypaused');
  });

  test('gives arguments, which may be templates', async () => {
    const { page, document } = await show();
    await page.fill('week int', '${schedule.fire_at.week}');
    await page.leave(page.field('week int'));
    assert.equal(document.text, `${TEXT}    parameters:\n      week: \${schedule.fire_at.week}\n`);
    await page.fill('week int', '');
    await page.leave(page.field('week int'));
    assert.equal(document.text, TEXT);
  });

  test('shows what becomes of the text by an undo or by somebody else', async () => {
    const { page, document } = await show();
    await page.fill('Time zone', 'UTC');
    await page.leave(page.field('Time zone'));
    await act(async () => document.become(TEXT.replace('0 6', '5 6')));
    await page.settle();
    assert.equal(page.field('Time zone').value, 'Europe/Berlin');
    assert.equal(page.field('Cron').value, '5 6 * * MON');
  });

  test('keeps what is being typed while another part of the text changes', async () => {
    const { page, document } = await show();
    await page.fill('Cron', '0 7');
    await act(async () => document.become(TEXT.replace('name: flights', 'name: late')));
    await page.settle();
    assert.equal(page.field('Cron').value, '0 7');
  });

  test('has its queue where it says one', async () => {
    const { page } = await show(`${TEXT}    queue: night\n    priority: 5\n`);
    assert.equal(page.field('Queue').value, 'night');
    assert.equal(page.field('Priority').value, '5');
    assert.doesNotMatch((await show()).page.text, /Queue and priority/);
  });

  test('is renamed, unless the name is taken', async () => {
    const { page, document } = await show(`${TEXT}  daily: {cron: "@daily"}\n`);
    const names = () =>
      page
        .all('input')
        .filter(one =>
          page
            .all('label')
            .some(label => label.getAttribute('for') === one.id && label.textContent === 'Name')
        );
    await page.fill(names()[1], 'daily');
    await page.leave(names()[1]);
    assert.deepEqual(document.complaints, ['There is a schedule daily already']);
    await page.fill(names()[1], 'mondays');
    await page.leave(names()[1]);
    assert.match(document.text, /\n {2}mondays:\n {4}cron: 0 6/);
    assert.notEqual(folded(page, 'mondays').getAttribute('open'), null);
  });

  test('is removed', async () => {
    const { page, document } = await show();
    await page.click('Remove the schedule weekly');
    assert.equal(document.text, TEXT.slice(0, TEXT.indexOf('schedules')));
    assert.ok(!page.has('Cron', 'input'));
  });

  test('is added by its name, and unfolded', async () => {
    const { page, document } = await show('name: a\ntasks: {}\n');
    await page.fill('Another schedule', 'nightly');
    await page.leave(page.field('Another schedule'));
    assert.deepEqual(outline(document.text).schedules, {
      nightly: {
        cron: '0 6 * * MON',
        timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone
      }
    });
    assert.notEqual(folded(page, 'nightly').getAttribute('open'), null);
    assert.equal(page.field('Another schedule').value, '');
    await page.fill('Another schedule', 'a b');
    await page.leave(page.field('Another schedule'));
    assert.match(document.complaints.join(), /A name begins with a letter/);
    assert.equal(page.field('Another schedule').value, 'a b');
  });

  test('is made active on wish, if nothing is wrong with it', async () => {
    const { page, document } = await show();
    await page.click('Save and make active');
    assert.deepEqual(document.active, ['weekly']);
    const wrong = await show(TEXT, {
      problems: [placed('is odd', { key: 'schedules.weekly.cron' })]
    });
    assert.ok(wrong.page.button('Save and make active').disabled);
  });

  test('cannot be changed where nothing may', async () => {
    const { page } = await show(TEXT, { isReadOnly: true });
    assert.ok(page.one('fieldset').disabled);
    assert.ok(!page.has('Another schedule', 'input'));
    assert.ok(!page.has('Remove the schedule weekly', 'button'));
    assert.ok(!page.has('Save and make active', 'button'));
  });
});

describe('what is wrong with a schedule', () => {
  const of = (key: string, message = 'is odd'): IPlaced =>
    placed(message, { key: `schedules.weekly${key}`, hint: 'mend it' });
  const cases: [key: string, label: string][] = [
    ['.cron', 'Cron'],
    ['.timezone', 'Time zone'],
    ['.overlap', 'While an earlier run goes on'],
    ['.catch_up', 'Fires that were missed'],
    ['.jitter', 'Late by up to'],
    ['.start', 'Not before'],
    ['.end', 'Not from then on'],
    ['.parameters.week', 'week int'],
    ['.parameters.week.0', 'week int']
  ];
  for (const [key, label] of cases) {
    test(`stands at its field: ${key}`, async () => {
      const { page } = await show(TEXT, { problems: [of(key)] });
      assert.deepEqual(page.texts('[role=alert]'), ['is odd; mend it']);
      const field = page.field(label);
      assert.equal(field.getAttribute('aria-invalid'), 'true');
      assert.match(String(field.getAttribute('aria-describedby')), /wrong/);
      assert.notEqual(folded(page, 'weekly').getAttribute('open'), null);
      assert.equal(page.all('.jp-mlops-Problems').length, 0);
    });
  }

  test('stands above its fields where there is none for it', async () => {
    const { page } = await show(TEXT, { problems: [of(''), of('.crom', 'no such key')] });
    assert.deepEqual(page.texts('.jp-mlops-Problems li'), [
      '✘ is odd mend it',
      '✘ no such key mend it'
    ]);
    assert.ok(folded(page, 'weekly').querySelectorAll('.jp-mlops-Problems').length === 1);
  });

  test('that there is not stands above all', async () => {
    const { page } = await show('tasks: {}\n', { problems: [of('.cron')] });
    assert.deepEqual(page.texts('.jp-mlops-Problems li'), ['✘ is odd mend it']);
  });

  test('is said once, by the field and not by the preview as well', async () => {
    const { page } = await show(TEXT, {
      problems: [of('.cron', 'minute 61 is odd')],
      'GET cron': refuse('minute 61 is odd', 'mend it')
    });
    assert.deepEqual(page.texts('[role=alert]'), ['minute 61 is odd; mend it']);
  });
});
