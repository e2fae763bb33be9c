/** The page of the tests (`src/__tests__/dom.ts`), seen on a screen: each element is as large as it. */
import { page, PageElement, PageEvent } from '../../__tests__/dom';

export const SCREEN = { left: 10, top: 20, width: 800, height: 600 };

/** Tells the size once, when it is asked for. */
class Observer {
  constructor(private readonly _tell: (entries: { contentRect: typeof SCREEN }[]) => void) {}
  observe(): void {
    this._tell([{ contentRect: SCREEN }]);
  }
  disconnect(): void {}
}

Object.assign(globalThis, { ResizeObserver: Observer });
Object.assign(PageElement.prototype, {
  getBoundingClientRect: () => SCREEN,
  setPointerCapture: () => undefined
});

export { page, PageElement as Tag, PageEvent as Happening };
