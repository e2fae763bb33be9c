import { Page, until } from './page';
import './lab';
import type { MainAreaWidget } from './lab';
import type { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ReactElement } from 'react';
import * as icons from '../icons';
import { SECTIONS } from '../sections';
import { type ITab, TABS } from '../tabs';
import { RESTORE, Tabs, tabId } from '../tabWidget';
import type { Args } from '../tokens';
import { type ISurroundings, surroundings } from './surroundings';

describe('what there is', () => {
  test('sections have places of their own, and names', () => {
    const ids = SECTIONS.map(one => one.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(new Set(SECTIONS.map(one => one.rank)).size, ids.length);
    assert.ok(SECTIONS.every(one => one.title().length > 3));
  });

  test('the setting for the first section knows all of them', () => {
    const schema = JSON.parse(readFileSync(resolve(__dirname, '../../schema/plugin.json'), 'utf8'));
    const { enum: offered, oneOf } = schema.properties.section;
    const named = offered ?? oneOf.map((one: { const: string }) => one.const);
    assert.deepEqual([...named].sort(), SECTIONS.map(one => one.id).sort());
  });

  test('icons have names of their own, and are filled: themes color nothing else', () => {
    const all = Object.values(icons);
    assert.equal(new Set(all.map(one => one.name)).size, all.length);
    assert.ok(all.every(one => one.name.startsWith('jupyter-mlops:')));
    assert.ok(all.every(one => /fill="/.test(one.svgstr) && !/stroke/.test(one.svgstr)));
  });

  for (const [kind, tab] of Object.entries(TABS)) {
    test(`a tab of a ${kind} can be loaded`, async () => {
      const { create } = await tab.load();
      assert.equal(typeof create, 'function');
    });
  }

  const titles: [string, Args, string][] = [
    ['run', { runId: 'r1' }, 'r1'],
    ['run', { runId: 'r1', title: 'flüge' }, 'flüge'],
    ['compare', { left: 'a', right: 'b' }, 'Compare runs'],
    ['notebook', { runId: 'r1', task: 'fit[a]' }, 'fit[a] · executed'],
    ['model', { name: 'late' }, 'late'],
    ['feature', { name: 'weather' }, 'weather'],
    ['schedule', { name: 'nightly' }, 'nightly'],
    ['deployment', { name: 'd' }, 'd'],
    ['cost', { path: 'a/pipeline.yaml' }, 'a/pipeline.yaml · cost'],
    ['cost', { path: 'a/pipeline.yaml', title: 'a' }, 'a · cost'],
    ['dockerize', { target: 'deep/down/a/b.ipynb' }, 'a/b.ipynb · image'],
    ['dockerize', { target: 'models:/late/3' }, 'late/3 · image'],
    ['export', { path: 'pipeline.yaml' }, 'pipeline.yaml · export']
  ];
  for (const [kind, args, expected] of titles) {
    test(`the title of ${kind} ${JSON.stringify(args)}`, () =>
      assert.equal(TABS[kind].title(args), expected));
  }
});

describe('what a tab is about', () => {
  const rows: [string, [string, Args], [string, Args], boolean][] = [
    ['the same', ['run', { runId: 'a' }], ['run', { runId: 'a' }], true],
    ['another run', ['run', { runId: 'a' }], ['run', { runId: 'b' }], false],
    ['another kind', ['model', { name: 'a' }], ['feature', { name: 'a' }], false],
    ['another title', ['run', { runId: 'a' }], ['run', { runId: 'a', title: 'x' }], true],
    ['another task of a run', ['run', { runId: 'a' }], ['run', { runId: 'a', task: 'x' }], true],
    [
      'another notebook',
      ['notebook', { runId: 'a', task: 'x' }],
      ['notebook', { runId: 'a', task: 'y' }],
      false
    ],
    [
      'in another order',
      ['compare', { left: 'a', right: 'b' }],
      ['compare', { right: 'b', left: 'a' }],
      true
    ],
    [
      'the other way round',
      ['compare', { left: 'a', right: 'b' }],
      ['compare', { left: 'b', right: 'a' }],
      false
    ]
  ];
  for (const [what, one, other, isSame] of rows) {
    test(what, () => assert.equal(tabId(...one) === tabId(...other), isSame));
  }
});

describe('opening', () => {
  let around: ISurroundings;
  let added: MainAreaWidget[];
  let shown: string[];
  let tabs: Tabs;
  const lab = {
    add: (widget: MainAreaWidget) => void added.push(widget),
    activateById: (id: string) => void shown.push(id)
  } as unknown as ILabShell;
  const noPlace = { shell: { widgets: () => [] } };

  beforeEach(() => {
    [added, shown] = [[], []];
    around = surroundings(noPlace);
    tabs = new Tabs(around.context.app, lab);
  });
  afterEach(() => around.dispose());

  test('makes a tab with title and icon, and shows it', () => {
    tabs.open(around.context, 'run', { runId: 'r1', title: 'flights' });
    const [widget] = added;
    assert.deepEqual(
      [widget.title.label, widget.title.icon, widget.title.closable],
      ['flights', TABS.run.icon, true]
    );
    assert.ok(widget.toolbar.isHidden);
    assert.deepEqual(widget.content.classes, ['jp-mlops', 'jp-mlops-Tab', 'jp-mod-run']);
    assert.deepEqual(shown, [widget.id]);
  });

  test('the same again only shows it, once it is closed it is made anew', () => {
    tabs.open(around.context, 'model', { name: 'late' });
    tabs.open(around.context, 'model', { name: 'late' });
    assert.equal(added.length, 1);
    assert.equal(shown.length, 2);
    added[0].dispose();
    tabs.open(around.context, 'model', { name: 'late' });
    assert.equal(added.length, 2);
  });

  test('a run with another task chosen takes the place of the one before', () => {
    tabs.open(around.context, 'run', { runId: 'r1' });
    tabs.open(around.context, 'run', { runId: 'r1', task: 'fit' });
    assert.deepEqual(
      added.map(one => one.isDisposed),
      [true, false]
    );
    tabs.open(around.context, 'run', { runId: 'r1', task: 'fit' });
    tabs.open(around.context, 'run', { runId: 'r1' }); // whatever is chosen in it stays
    assert.equal(added.length, 2);
  });

  test('what there is no tab for opens nothing', () => {
    tabs.open(around.context, 'nonsense', {});
    assert.deepEqual([added, shown, around.reported], [[], [], []]);
  });

  test('where a page has no place for it, it opens a page; or says why not', () => {
    const { open } = globalThis as { open?: unknown };
    const asked: string[] = [];
    Object.assign(globalThis, { open: (url: string) => (asked.push(url), {}) });
    const bare = new Tabs(around.context.app, null);
    bare.open(around.context, 'run', { runId: 'r1' });
    assert.equal(asked.length, 1);
    assert.deepEqual(around.reported, []);
    Object.assign(globalThis, { open: () => null });
    bare.open(around.context, 'run', { runId: 'r1' });
    assert.match((around.reported[0] as Error).message, /keeps pages from being opened/);
    Object.assign(globalThis, { open });
  });

  test('what a page was asked for is opened, and what makes no sense is not', () => {
    tabs.openAsked(around.context, '?mlops-tab={"kind":"model","args":{"name":"late"}}');
    tabs.openAsked(around.context, '?mlops-tab={"kind":"nonsense","args":{}}');
    tabs.openAsked(around.context, '?mlops-tab={');
    assert.deepEqual(
      added.map(one => one.title.label),
      ['late']
    );
    new Tabs(around.context.app, null).openAsked(
      around.context,
      '?mlops-tab={"kind":"run","args":{}}'
    );
    assert.equal(added.length, 1); // a page without a place opens no page for ever
  });

  test('a tab comes back with the page: what it is about is remembered while it is open', () => {
    const told: Parameters<ILayoutRestorer['restore']>[1][] = [];
    tabs.restore({ restore: async (_: unknown, how: never) => void told.push(how) } as never);
    tabs.open(around.context, 'compare', { left: 'a', right: 'b' });
    const [{ command, args, name }] = told;
    const widget = added[0] as never;
    assert.equal(command, RESTORE);
    assert.deepEqual(args!(widget), { kind: 'compare', args: { left: 'a', right: 'b' } });
    assert.equal(name(widget), added[0].id);
    added[0].dispose();
    assert.deepEqual(args!(widget), {});
  });

  describe('what is in it', () => {
    let page: Page;
    const own = TABS as Record<string, ITab>;
    beforeEach(() => {
      page = new Page();
    });
    afterEach(async () => {
      delete own.trial;
      await page.close();
    });
    const show = async (create: (_: unknown, args: Args) => ReactElement): Promise<void> => {
      own.trial = { ...TABS.run, title: () => 'trial', load: async () => ({ create }) };
      tabs.open(around.context, 'trial', { name: '<b>' });
      await page.show(added[0].content.element);
      await until(() => page.all('[role="status"]').length === 0);
    };

    test('is made of its context and arguments', async () => {
      await show((_, args) => <p>{args.name}</p>);
      assert.equal(page.text, '<b>');
    });

    test('while it is loaded it says so', async () => {
      own.trial = { ...TABS.run, title: () => 'trial', load: () => new Promise(() => undefined) };
      tabs.open(around.context, 'trial', {});
      await page.show(added[0].content.element);
      assert.equal(page.one('[role="status"]').textContent, 'Loading');
    });

    test('a mistake of ours in it is told in it', async () => {
      const Broken = (): ReactElement => {
        throw new Error('it broke');
      };
      await show(() => <Broken />);
      assert.equal(page.one('[role="alert"]').textContent, 'it broke');
      assert.match(page.complaints.splice(0).join(), /<Broken>/); // for whoever looks into the console
    });

    test('and so is one that cannot be loaded', async () => {
      own.trial = {
        ...TABS.run,
        title: () => 'trial',
        load: () => Promise.reject(new Error('no such chunk'))
      };
      tabs.open(around.context, 'trial', {});
      await page.show(added[0].content.element);
      await until(() => page.all('[role="alert"]').length > 0);
      assert.equal(page.one('[role="alert"]').textContent, 'no such chunk');
      page.complaints.length = 0;
    });
  });
});
