/** Where things stand on the canvas, as numbers. */

export interface IPoint {
  x: number;
  y: number;
}

export interface IBox extends IPoint {
  width: number;
  height: number;
}

/** How the world is seen: a point of it is at `x + scale * point.x` of the canvas. */
export interface IView extends IPoint {
  scale: number;
}

export const LEAST_SCALE = 0.2;
export const MOST_SCALE = 2;
const MARGIN = 24;

/** The whole world in the middle of a canvas; never larger than life. */
export function fit(
  world: { width: number; height: number },
  canvas: { width: number; height: number }
): IView {
  const wide = (canvas.width - 2 * MARGIN) / Math.max(1, world.width);
  const high = (canvas.height - 2 * MARGIN) / Math.max(1, world.height);
  const scale = Math.min(1, MOST_SCALE, Math.max(LEAST_SCALE, Math.min(wide, high)));
  // What does not fit begins at its beginning, where the first tasks are.
  return {
    scale,
    x: Math.max(MARGIN, (canvas.width - scale * world.width) / 2),
    y: Math.max(MARGIN, (canvas.height - scale * world.height) / 2)
  };
}

/** Nearer or farther, around a point of the canvas that stays where it is. */
export function zoom(view: IView, factor: number, around: IPoint): IView {
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: around.x - by * (around.x - view.x), y: around.y - by * (around.y - view.y) };
}

/** A point of the canvas as one of the world. */
export function toWorld(view: IView, point: IPoint): IPoint {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

/** The view moved so that a box can be seen; the same one if it can be seen already. */
export function reveal(view: IView, box: IBox, canvas: { width: number; height: number }): IView {
  const shift = (start: number, size: number, room: number): number => {
    const end = start + size;
    if (start >= MARGIN && end <= room - MARGIN) {
      return 0;
    }
    return start < MARGIN ? MARGIN - start : Math.max(MARGIN - start, room - MARGIN - end);
  };
  const x = shift(view.x + view.scale * box.x, view.scale * box.width, canvas.width);
  const y = shift(view.y + view.scale * box.y, view.scale * box.height, canvas.height);
  return x === 0 && y === 0 ? view : { ...view, x: view.x + x, y: view.y + y };
}

/** The box that holds a point; the last one where several do. */
export function boxAt<T extends IBox>(boxes: readonly T[], point: IPoint): T | undefined {
  return [...boxes]
    .reverse()
    .find(
      box =>
        point.x >= box.x &&
        point.x <= box.x + box.width &&
        point.y >= box.y &&
        point.y <= box.y + box.height
    );
}

/** A line while it is drawn: it leaves and arrives level. */
export function thread(from: IPoint, to: IPoint): string {
  const bend = Math.max(24, Math.abs(to.x - from.x) / 2);
  return `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
}

/** The middle of an edge, for its button. */
export function middle(points: readonly (readonly number[])[]): IPoint {
  const half = points.length / 2;
  const [a, b] = [points[Math.ceil(half) - 1], points[Math.floor(half)]];
  return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
}
