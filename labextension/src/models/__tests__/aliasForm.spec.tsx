import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { dialogs, Page, refuse } from './page';
import { VersionAliases } from '../aliasForm';
import { alias, detail } from './builders';

const MODEL = detail({
  alias_list: [alias('champion', 3, true), alias('shadow', 2), alias('trial', 1)]
});
const SET = 'PUT models/late/aliases';
const done: string[] = [];

const show = (version: number, answers: Record<string, unknown> = {}): Promise<Page> => {
  done.length = 0;
  return Page.of(answers, context => (
    <VersionAliases
      context={context}
      model={MODEL}
      version={version}
      onDone={() => done.push('done')}
    />
  ));
};

describe('the aliases of a version', () => {
  test('are those that name it, with a way to take each away', async () => {
    const page = await show(3);
    assert.deepEqual(page.buttons, ['Take the alias champion away', 'Move an alias here…']);
    assert.equal(page.one('svg').getAttribute('aria-label'), 'protected');
    assert.deepEqual((await show(9)).buttons, ['Move an alias here…']);
  });

  test('those of other versions are offered, with where they stand now', async () => {
    const page = await show(3);
    await page.click('Move an alias here…');
    assert.deepEqual(page.buttons, [
      'Take the alias champion away',
      'shadow (from v2)',
      'trial (from v1)',
      'Give',
      'Cancel'
    ]);
  });

  for (const leave of ['Cancel', 'Escape']) {
    test(`${leave} asks and changes nothing`, async () => {
      const page = await show(3);
      await page.click('Move an alias here…');
      await (leave === 'Cancel'
        ? page.click('Cancel')
        : page.press(page.field('A new alias'), 'Escape'));
      assert.equal(page.all('form').length, 0);
      assert.deepEqual([page.deeds(), dialogs.shown], [[], []]);
    });
  }
});

describe('moving an alias', () => {
  test('asks, says what changes for whom, and moves it', async () => {
    const page = await show(3, { [`${SET}/shadow`]: alias('shadow', 3) });
    await page.click('Move an alias here…');
    await page.click('shadow (from v2)');
    assert.deepEqual(dialogs.shown, [
      {
        title: 'Move shadow to version 3?',
        body: 'shadow names version 2 now. Whoever loads late@shadow gets version 3 from then on.',
        buttons: ['Cancel', 'Move'],
        default: 'Move',
        isGrave: false
      }
    ]);
    assert.deepEqual(page.deeds(), [`${SET}/shadow {"version":3,"force":false}`]);
    assert.deepEqual(done, ['done']);
    assert.equal(page.all('form').length, 0);
  });

  test('of a protected one asks again, and does it by force', async () => {
    const page = await show(1, { [`${SET}/champion`]: alias('champion', 1, true) });
    await page.click('Move an alias here…');
    await page.click('champion (from v3)');
    assert.equal(dialogs.shown.length, 2);
    const [, again] = dialogs.shown;
    assert.equal(again.title, 'champion is protected');
    assert.equal(again.default, 'Cancel'); // Enter must not do it
    assert.ok(again.isGrave);
    assert.deepEqual(page.deeds(), [`${SET}/champion {"version":1,"force":true}`]);
  });

  const refusals: [string, boolean[]][] = [
    ['at once', [false]],
    ['when it is asked again', [true, false]]
  ];
  for (const [when, answers] of refusals) {
    test(`nothing moves when the user says no ${when}`, async () => {
      const page = await show(1);
      dialogs.answers = [...answers];
      await page.click('Move an alias here…');
      await page.click('champion (from v3)');
      assert.equal(dialogs.shown.length, answers.length);
      assert.deepEqual(page.deeds(), []);
    });
  }

  test('what the server says against it is reported with its hint', async () => {
    const page = await show(3, {
      [`${SET}/shadow`]: refuse('it was moved meanwhile', 'look again')
    });
    await page.click('Move an alias here…');
    await page.click('shadow (from v2)');
    assert.deepEqual(page.reported, ['it was moved meanwhile; look again']);
    assert.deepEqual(done, ['done']); // so that what is true now is fetched
  });
});

describe('a new alias', () => {
  const names: [string, boolean][] = [
    ['', false],
    ['a', true],
    ['prod-eu_1.2', true],
    ['1st', false],
    ['-x', false],
    ['two words', false],
    ['größe', false],
    ['a/b', false],
    ['<b>', false]
  ];
  test('has a name that the server takes', async () => {
    const page = await show(3);
    await page.click('Move an alias here…');
    for (const [name, isGood] of names) {
      await page.fill('A new alias', name);
      assert.equal(!page.button('Give').disabled, isGood, name);
    }
  });

  test('is given after a question of its own', async () => {
    const page = await show(2, { [`${SET}/best`]: alias('best', 2) });
    await page.click('Move an alias here…');
    await page.fill('A new alias', 'best');
    await page.click('Give');
    const [{ title, body, buttons }] = dialogs.shown;
    assert.equal(title, 'Give version 2 the alias best?');
    assert.equal(body, 'Whoever loads late@best gets version 2 from then on.');
    assert.deepEqual(buttons, ['Cancel', 'Give']);
    assert.deepEqual(page.deeds(), [`${SET}/best {"version":2,"force":false}`]);
  });

  test('the name of one that stands elsewhere moves that one', async () => {
    const page = await show(2, { [`${SET}/champion`]: alias('champion', 2, true) });
    await page.click('Move an alias here…');
    await page.fill('A new alias', 'champion');
    await page.click('Give');
    assert.deepEqual(
      dialogs.shown.map(({ title }) => title),
      ['Move champion to version 2?', 'champion is protected']
    );
  });
});

describe('taking an alias away', () => {
  const cases: [string, number, boolean][] = [
    ['champion', 3, true],
    ['trial', 1, false]
  ];
  for (const [name, at, isProtected] of cases) {
    test(`${isProtected ? 'that is protected says so' : 'asks'}: ${name}`, async () => {
      const request = `DELETE models/late/aliases/${name}`;
      const page = await show(at, { [request]: undefined });
      await page.click(`Take the alias ${name} away`);
      const [{ body, isGrave, default: first }] = dialogs.shown;
      assert.equal(/It is protected/.test(body), isProtected);
      assert.match(body, new RegExp(`late@${name} finds nothing`));
      assert.deepEqual([isGrave, first], [true, 'Cancel']);
      assert.deepEqual(page.deeds(), [`${request}?force=${isProtected}`]);
      assert.deepEqual(done, ['done']);
    });
  }

  test('does not when the user says no', async () => {
    const page = await show(1);
    dialogs.answers = [false];
    await page.click('Take the alias trial away');
    assert.deepEqual([page.deeds(), page.reported], [[], []]);
  });
});
