import './page';
import './lab';
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { TabPanel, type Widget } from '@lumino/widgets';
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type ITold, askFor, askedFor, findPlace, openPage } from '../places';

const widget = { id: 'w1' } as Widget;
const page = (widgets: unknown[]): JupyterFrontEnd =>
  ({ shell: { widgets: (area: string) => (area === 'main' ? widgets : []) } }) as never;

describe('where tabs are shown', () => {
  test('in JupyterLab in its main area', () => {
    const deeds: string[] = [];
    const lab = {
      add: (one: Widget, area: string) => deeds.push(`add ${one.id} ${area}`),
      activateById: (id: string) => deeds.push(`show ${id}`)
    };
    const place = findPlace(page([]), lab as unknown as ILabShell)!;
    place.add(widget);
    place.show(widget);
    assert.deepEqual(deeds, ['add w1 main', 'show w1']);
  });

  test('in Notebook 7 beside its files, where the page has them', () => {
    const added: Widget[] = [];
    const panel = Object.create(TabPanel.prototype, {
      addWidget: { value: (one: Widget) => added.push(one) },
      currentWidget: { value: null, writable: true }
    }) as TabPanel;
    const place = findPlace(page([{}, panel]), null)!;
    place.add(widget);
    place.show(widget);
    assert.deepEqual(added, [widget]);
    assert.equal(panel.currentWidget, widget);
  });

  test('nowhere on the page of a notebook', () => {
    assert.equal(findPlace(page([{}]), null), null);
    assert.equal(findPlace(page([]), null), null);
  });
});

describe('a page that opens with a tab', () => {
  const told: ITold[] = [
    { kind: 'run', args: { runId: '20260101-120000-abcdef' } },
    { kind: 'model', args: { name: 'a b/ü&c=d#e"<f>' } },
    { kind: 'export', args: {} }
  ];
  for (const one of told) {
    test(`is asked for what it shows: ${JSON.stringify(one)}`, () =>
      assert.deepEqual(askedFor(askFor(one)), one));
  }

  const senseless: [string, string][] = [
    ['nothing', ''],
    ['something else', '?path=a.ipynb'],
    ['no JSON', '?mlops-tab=run'],
    ['null', '?mlops-tab=null'],
    ['a number', '?mlops-tab=3'],
    ['no kind', '?mlops-tab={"args":{}}'],
    ['a kind that is none', '?mlops-tab={"kind":3,"args":{}}'],
    ['no arguments', '?mlops-tab={"kind":"run"}'],
    ['arguments that are no texts', '?mlops-tab={"kind":"run","args":{"runId":{"a":1}}}']
  ];
  for (const [what, search] of senseless) {
    test(`is asked for nothing by ${what}`, () => assert.equal(askedFor(search), null));
  }

  test('takes kind and arguments alone', () =>
    assert.deepEqual(askedFor('?mlops-tab={"kind":"run","args":{},"more":1}'), {
      kind: 'run',
      args: {}
    }));

  const { open } = globalThis as { open?: unknown };
  afterEach(() => Object.assign(globalThis, { open }));

  test('is opened beside this one; the browser may keep it from being', () => {
    PageConfig.setOption('baseUrl', 'http://host/user/ada/');
    const asked: [string, string][] = [];
    Object.assign(globalThis, { open: (...all: [string, string]) => (asked.push(all), {}) });
    assert.equal(openPage(told[0]), true);
    const [[url, target]] = asked;
    assert.equal(target, '_blank');
    assert.equal(new URL(url).pathname, '/user/ada/tree');
    assert.deepEqual(askedFor(new URL(url).search), told[0]);
    Object.assign(globalThis, { open: () => null });
    assert.equal(openPage(told[0]), false);
  });
});
