import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { boxAt, fit, middle, reveal, toWorld, zoom } from '../geometry';

const CANVAS = { width: 800, height: 600 };

describe('a view', () => {
  it('fits small worlds life-size in the middle and large ones from their beginning', () => {
    assert.deepEqual(fit({ width: 200, height: 100 }, CANVAS), { scale: 1, x: 300, y: 250 });
    assert.equal(fit({ width: 1504, height: 100 }, CANVAS).scale, 0.5);
    assert.deepEqual(fit({ width: 99999, height: 100 }, CANVAS), { scale: 0.2, x: 24, y: 290 });
    assert.ok(Number.isFinite(fit({ width: 0, height: 0 }, { width: 0, height: 0 }).x));
  });

  it('zooms around a point', () => {
    const view = { scale: 1, x: 10, y: 20 };
    const point = { x: 300, y: 200 };
    const near = zoom(view, 1.5, point);
    assert.deepEqual(toWorld(near, point), toWorld(view, point));
    assert.equal(zoom(view, 1000, point).scale, 2);
    assert.equal(zoom(view, 0.0001, point).scale, 0.2);
  });

  it('moves only for what cannot be seen', () => {
    const view = { scale: 1, x: 0, y: 0 };
    const box = { x: 100, y: 100, width: 50, height: 50 };
    assert.equal(reveal(view, box, CANVAS), view);
    assert.deepEqual(reveal(view, { ...box, x: 900 }, CANVAS), { scale: 1, x: -174, y: 0 });
    assert.deepEqual(reveal(view, { ...box, y: -80 }, CANVAS), { scale: 1, x: 0, y: 104 });
  });
});

describe('shapes', () => {
  it('are hit where they are', () => {
    const boxes = [
      { id: 'a', x: 0, y: 0, width: 10, height: 10 },
      { id: 'b', x: 5, y: 5, width: 10, height: 10 }
    ];
    assert.equal(boxAt(boxes, { x: 6, y: 6 })?.id, 'b');
    assert.equal(boxAt(boxes, { x: 1, y: 1 })?.id, 'a');
    assert.equal(boxAt(boxes, { x: 16, y: 1 }), undefined);
  });

  it('have a middle', () => {
    const points = [
      [0, 0],
      [10, 20],
      [30, 20],
      [40, 0]
    ];
    assert.deepEqual(middle(points), { x: 20, y: 20 });
    assert.deepEqual(
      middle([
        [0, 0],
        [10, 4]
      ]),
      { x: 5, y: 2 }
    );
  });
});
