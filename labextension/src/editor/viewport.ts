/** The size of an element, and the wheel over it. */
import { useEffect, useRef, useState } from 'react';

import type { IPoint } from './geometry';

/** The size of an element, as it changes; what is hidden has none. */
export function useSize(element: { current: HTMLElement | null }): {
  width: number;
  height: number;
} {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize({ width, height });
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return size;
}

/** Wheel and pinch; React's own wheel handler is passive and could not keep the page from zooming. */
export function useWheel(
  element: { current: HTMLElement | null },
  onWheel: (factor: number, at: IPoint, by: IPoint) => void
): void {
  const latest = useRef(onWheel);
  latest.current = onWheel;
  useEffect(() => {
    const node = element.current!;
    const handle = (event: WheelEvent): void => {
      event.preventDefault();
      const box = node.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      const isPan = event.shiftKey || (event.deltaX !== 0 && !event.ctrlKey);
      const by = event.deltaMode === 1 ? 16 : 1;
      const factor = isPan ? 1 : Math.exp((-event.deltaY * by) / (event.ctrlKey ? 100 : 400));
      latest.current(factor, at, {
        x: event.deltaX * by || event.deltaY * by,
        y: event.deltaX ? event.deltaY * by : 0
      });
    };
    node.addEventListener('wheel', handle, { passive: false });
    return () => node.removeEventListener('wheel', handle);
  }, []);
}
