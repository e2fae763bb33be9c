/** What holds in every section and every tab, whatever it shows. */
import { Page, until } from './page';
import './lab';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ReactElement } from 'react';
import { SECTIONS } from '../sections';
import { TABS } from '../tabs';
import type { Args, IContext } from '../tokens';
import { type Answers, type ISurroundings, refused, surroundings } from './surroundings';

const ABOUT: Record<string, Args> = {
  run: { runId: 'r1' },
  compare: { left: 'r1', right: 'r2' },
  notebook: { runId: 'r1', task: 'fit' },
  schedule: { name: 'nightly' },
  deployment: { name: 'd' },
  cost: { path: 'a/pipeline.yaml' },
  dockerize: { target: 'a/pipeline.yaml' },
  export: { path: 'a/pipeline.yaml' },
  model: { name: 'late' },
  feature: { name: 'weather' }
};
/** These ask only when they are told to, or show a page of the server. */
const ASKS_NOTHING = ['notebook', 'dockerize'];

/** Everything that is asked is answered by the same. */
const always = (answer: () => unknown): Answers => new Proxy({}, { get: () => answer });

type Make = (context: IContext) => Promise<ReactElement>;
const ALL: [string, Make][] = [
  ...SECTIONS.map(one => [`section ${one.id}`, async c => one.createBody(c)] as [string, Make]),
  ...Object.entries(TABS)
    .filter(([kind]) => !ASKS_NOTHING.includes(kind))
    .map(([kind, tab]) => {
      const make: Make = async context => (await tab.load()).create(context, ABOUT[kind]);
      return [`tab ${kind}`, make] as [string, Make];
    })
];

test('every kind of tab is tried here', () =>
  assert.deepEqual(Object.keys(ABOUT).sort(), Object.keys(TABS).sort()));

for (const [name, make] of ALL) {
  describe(name, () => {
    let page: Page;
    let around: ISurroundings;
    beforeEach(() => {
      page = new Page();
    });
    afterEach(async () => {
      await page.close();
      around.dispose();
    });
    const show = async (answer: () => unknown): Promise<void> => {
      around = surroundings({}, always(answer));
      await page.show(await make(around.context));
    };

    test('while the first answer is awaited, says so to a screen reader', async () => {
      await show(() => new Promise(() => undefined));
      assert.ok(page.all('[role="status"]').length > 0, page.html);
    });

    test('tells what the server refuses, with its cure, as text', async () => {
      await show(() => refused('odd', 'it is <b>odd</b>', 'look into the log'));
      await until(() => page.all('[role="alert"]').length > 0);
      const [said] = page.all('[role="alert"]').map(one => one.textContent);
      assert.match(said, /it is <b>odd<\/b>/);
      assert.match(said, /look into the log/);
      assert.equal(page.all('b').length, 0);
    });

    test('every button has a name', async () => {
      await show(() => refused('odd', 'it is odd'));
      await until(() => page.all('[role="alert"]').length > 0);
      for (const button of page.all('button')) {
        assert.ok(button.getAttribute('aria-label') || button.textContent.trim(), button.outerHTML);
      }
    });
  });
}
