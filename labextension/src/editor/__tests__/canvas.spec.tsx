import { SCREEN, type Tag } from './dom';
import { all, button, click, happen, hasButton, key, one, show } from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Canvas, type ICanvas } from '../canvas';
import { fit, type IPoint } from '../geometry';
import { outline } from '../outline';
import { picture, trans } from './builders';
import { FLIGHTS } from './texts';

const TASKS = outline(FLIGHTS).tasks;
const GRAPH = picture(['pull', 'train', 'deploy'], ['pull>train', 'train>deploy']);

/** A canvas, and what it asked for: one line each. */
function canvas(changes: Partial<ICanvas> = {}) {
  const done: string[] = [];
  const told = (what: ICanvas['selection']): string =>
    what === null ? 'nothing' : 'task' in what ? what.task : `${what.source}>${what.target}`;
  const make = (more: Partial<ICanvas> = {}) => (
    <Canvas
      graph={GRAPH}
      tasks={new Map(TASKS.map(task => [task.name, task]))}
      problems={new Map()}
      selection={null}
      isReadOnly={false}
      trans={trans}
      onSelect={what => done.push(`select ${told(what)}`)}
      onConnect={(source, target) => done.push(`connect ${source}>${target}`)}
      onRemove={what => done.push(`remove ${told(what)}`)}
      onOpen={task => done.push(`open ${task}`)}
      {...changes}
      {...more}
    />
  );
  const { root, again } = show(make());
  const area = one(root, '.jp-mlops-Canvas');
  const cards = (): Tag[] => all(root, '.jp-mlops-Card');
  return {
    root,
    done,
    area,
    cards,
    again: (more: Partial<ICanvas>) => again(make(more)),
    card: (name: string): Tag =>
      cards().find(one_ => one_.getAttribute('aria-label')!.split(/[ ,]/)[1] === name)!,
    view: () => one(root, '.jp-mlops-Canvas-world').style.transform
  };
}

/** A place in the world, as the mouse sees it while the picture is fitted. */
function mouse({ x, y }: IPoint, fields: object = {}): object {
  const view = fit(GRAPH, SCREEN);
  return {
    button: 0,
    pointerId: 1,
    clientX: SCREEN.left + view.x + view.scale * x,
    clientY: SCREEN.top + view.y + view.scale * y,
    ...fields
  };
}
const middleOf = (name: string): IPoint => {
  const { x, y } = GRAPH.nodes.find(({ id }) => id === name)!;
  return { x: x + 50, y: y + 20 };
};
const EMPTY: IPoint = { x: 130, y: 200 };
const port = (card: Tag): Tag => one(card, '.jp-mlops-Card-port');

describe('tasks in the picture', () => {
  it('are buttons with names, one after another', () => {
    const { cards } = canvas();
    assert.deepEqual(
      cards().map(card => [
        card.getAttribute('role'),
        card.getAttribute('tabindex'),
        card.getAttribute('aria-label')
      ]),
      ['pull', 'train', 'deploy'].map(name => ['button', '0', `Task ${name}`])
    );
  });

  it('stand where the layout puts them', () => {
    const { style } = canvas().card('train');
    assert.deepEqual(
      [style.left, style.top, style.width, style.height].map(side => parseInt(String(side))),
      [160, 0, 100, 40]
    );
  });

  it('are picked by mouse, Enter and space', () => {
    const { card, done } = canvas();
    happen(card('pull'), 'pointerdown', mouse(middleOf('pull')));
    assert.ok(key(card('train'), 'Enter').defaultPrevented);
    assert.ok(key(card('deploy'), ' ').defaultPrevented); // the page does not scroll
    assert.ok(!key(card('deploy'), 'Tab').defaultPrevented);
    assert.deepEqual(done, ['select pull', 'select train', 'select deploy']);
  });

  it('open their notebook with a double click', () => {
    const { card, done } = canvas();
    happen(card('train'), 'dblclick');
    assert.deepEqual(done, ['open train']);
  });

  it('tell which one is picked', () => {
    const { card } = canvas({ selection: { task: 'train' } });
    assert.deepEqual(
      ['pull', 'train'].map(name => card(name).getAttribute('aria-pressed')),
      ['false', 'true']
    );
    assert.ok(card('train').matches('.jp-mod-selected'));
  });

  it('tell their problems: how many, and which', () => {
    const errors = (count: number, severity = 'error') =>
      Array.from({ length: count }, (_, i) => ({ message: `p${i}`, severity }));
    const { card } = canvas({
      problems: new Map([
        ['pull', errors(2)],
        ['train', errors(1, 'warning')],
        ['deploy', errors(12)]
      ])
    });
    const badge = (name: string): Tag => one(card(name), '.jp-mlops-Card-badge');
    assert.equal(card('pull').getAttribute('aria-label'), 'Task pull, 2 problems');
    assert.match(card('pull').getAttribute('title')!, /⚠ p0\n⚠ p1$/);
    assert.ok(card('pull').matches('.jp-mod-wrong') && !card('train').matches('.jp-mod-wrong'));
    assert.ok(badge('train').matches('.jp-mod-warning'));
    assert.deepEqual(
      ['pull', 'train', 'deploy'].map(name => badge(name).textContent),
      ['2', '1', '9+']
    );
  });

  it('show their notebook, and whether they run often or only sometimes', () => {
    const graph = {
      ...GRAPH,
      nodes: GRAPH.nodes.map(node => ({
        ...node,
        kind: ({ train: 'matrix', pull: 'map' } as Record<string, string>)[node.id] ?? 'task'
      }))
    } as typeof GRAPH;
    const { card } = canvas({ graph });
    const detail = (name: string): string => one(card(name), '.jp-mlops-Card-detail').textContent;
    assert.deepEqual(['pull', 'train', 'deploy'].map(detail), [
      'mappull.ipynb',
      'matrixtrain.ipynb',
      'ifdeploy.ipynb'
    ]);
    assert.ok(card('train').matches('.jp-mod-many') && !card('deploy').matches('.jp-mod-many'));
    assert.match(card('train').getAttribute('title')!, /^train\nLearns from what there is$/);
  });

  it('may have any name, and need not be known', () => {
    const name = '<b>x</b>'.repeat(40);
    const { cards, root } = canvas({ graph: picture([name]), tasks: new Map() });
    assert.equal(one(cards()[0], '.jp-mlops-Card-name').textContent, name);
    assert.deepEqual(all(root, 'b'), []);
  });

  it('may be none', () => {
    const { cards, view } = canvas({ graph: picture([]) });
    assert.deepEqual(cards(), []);
    assert.match(String(view()), /^translate\([\d.]+px, [\d.]+px\) scale\(1\)$/);
  });
});

describe('a line', () => {
  const drag = (from: string, to: IPoint) => {
    const made = canvas();
    happen(port(made.card(from)), 'pointerdown', mouse(middleOf(from)));
    happen(made.area, 'pointermove', mouse(to));
    return made;
  };

  it('is drawn from the dot of one task to the next', () => {
    const { area, card, done, root } = drag('pull', middleOf('deploy'));
    assert.ok(area.matches('.jp-mod-drawing'));
    assert.ok(card('deploy').matches('.jp-mod-target'));
    assert.ok(one(root, '.jp-mlops-Canvas-thread').matches('.jp-mod-target'));
    happen(area, 'pointerup', mouse(middleOf('deploy')));
    assert.deepEqual(done, ['connect pull>deploy']);
    assert.ok(!area.matches('.jp-mod-drawing'));
    assert.deepEqual(all(root, '.jp-mlops-Canvas-thread'), []);
  });

  it('comes to nothing where it ends at no task, or at its own', () => {
    for (const end of [EMPTY, middleOf('pull')]) {
      const { area, done, root } = drag('pull', end);
      assert.ok(!one(root, '.jp-mlops-Canvas-thread').matches('.jp-mod-target'));
      happen(area, 'pointerup', mouse(end));
      assert.deepEqual(done, []);
    }
  });

  it('is given up with Escape', () => {
    const { area, done, root } = drag('pull', middleOf('deploy'));
    key(area, 'Escape');
    assert.deepEqual(all(root, '.jp-mlops-Canvas-thread'), []);
    happen(area, 'pointerup', mouse(middleOf('deploy')));
    assert.deepEqual(done, ['select nothing']);
  });

  it('cannot be drawn where nothing may be changed', () => {
    assert.deepEqual(all(canvas({ isReadOnly: true }).root, '.jp-mlops-Card-port'), []);
  });
});

describe('an edge', () => {
  const edges = (root: Tag): Tag[] => all(root, '.jp-mlops-Canvas-edge');

  it('is told, and picked', () => {
    const { root, done } = canvas();
    assert.deepEqual(
      edges(root).map(edge => one(edge, 'title').textContent),
      ['pull → train', 'train → deploy']
    );
    happen(edges(root)[1], 'pointerdown', mouse(EMPTY));
    assert.deepEqual(done, ['select train>deploy']);
  });

  it('is cut by its button, or with a key', () => {
    for (const cut of [
      (root: Tag) =>
        happen(button(root, 'Disconnect pull from train'), 'pointerdown', { button: 0 }),
      (root: Tag) => key(one(root, '.jp-mlops-Canvas'), 'Delete')
    ]) {
      const { root, done } = canvas({ selection: { source: 'pull', target: 'train' } });
      assert.deepEqual(
        edges(root).map(edge => edge.matches('.jp-mod-picked')),
        [true, false]
      );
      cut(root);
      assert.deepEqual(done, ['remove pull>train']);
    }
  });

  it('has no button where it is gone, or may not be cut', () => {
    const gone = canvas({ selection: { source: 'pull', target: 'deploy' } });
    const locked = canvas({ selection: { source: 'pull', target: 'train' }, isReadOnly: true });
    [gone, locked].forEach(({ root }) => assert.deepEqual(all(root, '.jp-mlops-Canvas-cut'), []));
  });
});

describe('keys on the picture', () => {
  const pressed = (name: string, changes: Partial<ICanvas>) => {
    const { area, done } = canvas(changes);
    return { event: key(area, name), done };
  };

  it('take away what is picked', () => {
    for (const name of ['Delete', 'Backspace']) {
      const { event, done } = pressed(name, { selection: { task: 'train' } });
      assert.deepEqual(done, ['remove train']);
      assert.ok(event.defaultPrevented && event.isStopped); // JupyterLab's own keys stay quiet
    }
  });

  it('take nothing away where nothing is picked, or nothing may be changed', () => {
    for (const changes of [{}, { selection: { task: 'train' }, isReadOnly: true }]) {
      const { event, done } = pressed('Delete', changes);
      assert.deepEqual(done, []);
      assert.ok(!event.defaultPrevented);
    }
  });

  it('let go with Escape; other keys do nothing', () => {
    assert.deepEqual(pressed('Escape', { selection: { task: 'train' } }).done, ['select nothing']);
    assert.deepEqual(pressed('a', { selection: { task: 'train' } }).done, []);
  });
});

describe('how the picture is seen', () => {
  const place = (view: unknown): number[] =>
    String(view)
      .match(/-?[\d.]+(?=px|\))/g)!
      .map(Number);

  it('is the whole of it at first', () => {
    const { x, y, scale } = fit(GRAPH, SCREEN);
    assert.deepEqual(place(canvas().view()), [x, y, scale]);
  });

  it('moves with the mouse, and nothing is let go by that', () => {
    const { area, done, view } = canvas();
    const [x, y, scale] = place(view());
    happen(area, 'pointerdown', mouse(EMPTY));
    happen(area, 'pointermove', mouse({ x: EMPTY.x + 30, y: EMPTY.y - 12 }));
    happen(area, 'pointerup', mouse(EMPTY));
    assert.deepEqual(place(view()), [x + 30, y - 12, scale]);
    assert.deepEqual(done, []);
    happen(area, 'pointermove', mouse({ x: 500, y: 500 }));
    assert.deepEqual(place(view()), [x + 30, y - 12, scale]); // the button is up
  });

  it('stays with a click, which lets go of what was picked', () => {
    const { area, done, view } = canvas();
    const before = view();
    happen(area, 'pointerdown', mouse(EMPTY));
    happen(area, 'pointermove', mouse({ x: EMPTY.x + 2, y: EMPTY.y + 2 })); // a hand trembles
    happen(area, 'pointerup', mouse(EMPTY));
    assert.equal(view(), before);
    assert.deepEqual(done, ['select nothing']);
  });

  it('is not moved by the second button', () => {
    const { area, view } = canvas();
    const before = view();
    happen(area, 'pointerdown', mouse(EMPTY, { button: 2 }));
    happen(area, 'pointermove', mouse({ x: 300, y: 300 }));
    assert.equal(view(), before);
  });

  it('comes nearer and goes farther by buttons, within bounds, and comes back', () => {
    const { root, view } = canvas();
    const first = view();
    const scale = (): number => place(view())[2];
    click(button(root, 'Zoom in'));
    assert.equal(scale(), 1.25);
    for (let times = 0; times < 20; times++) {
      click(button(root, 'Zoom in'));
    }
    assert.equal(scale(), 2);
    for (let times = 0; times < 40; times++) {
      click(button(root, 'Zoom out'));
    }
    assert.equal(scale(), 0.2);
    click(button(root, 'Show all'));
    assert.equal(view(), first);
    assert.ok(hasButton(root, 'Zoom in'));
  });

  const wheel = (fields: object): number[] => {
    const { area, view } = canvas();
    const [x, y, scale] = place(view());
    const event = happen(area, 'wheel', {
      clientX: SCREEN.left + x,
      clientY: SCREEN.top + y,
      deltaX: 0,
      deltaY: 0,
      deltaMode: 0,
      ...fields
    });
    assert.ok(event.defaultPrevented); // the page neither scrolls nor zooms
    const after = place(view());
    return [after[0] - x, after[1] - y, after[2] / scale].map(n => Math.round(n * 1000) / 1000);
  };
  const turns: [string, object, number[]][] = [
    ['nearer, around the mouse', { deltaY: -100 }, [0, 0, 1.284]],
    ['farther', { deltaY: 100 }, [0, 0, 0.779]],
    ['by lines', { deltaY: -3, deltaMode: 1 }, [0, 0, 1.127]],
    ['with two fingers', { deltaY: -20, ctrlKey: true }, [0, 0, 1.221]],
    ['aside with Shift', { deltaY: 40, shiftKey: true }, [-40, 0, 1]],
    ['in both directions on a pad', { deltaX: 30, deltaY: 10 }, [-30, -10, 1]]
  ];
  turns.forEach(([title, fields, expected]) =>
    it(`turns ${title}`, () => assert.deepEqual(wheel(fields), expected))
  );

  it('follows what is picked once somebody has moved it', () => {
    const { area, again, view } = canvas();
    happen(area, 'pointerdown', mouse(EMPTY));
    happen(area, 'pointermove', mouse({ x: EMPTY.x - 2000, y: EMPTY.y }));
    happen(area, 'pointerup', mouse(EMPTY));
    again({ selection: { task: 'deploy' } });
    const [x] = place(view());
    assert.equal(x + 320, 24); // deploy stands at the left edge
  });
});
