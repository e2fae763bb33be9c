/** What all pages of the tests are worked with. */
import type { PageElement } from './dom';
import * as React from 'react';

type Act = (work: () => unknown) => Promise<void>;

/** Do something and all that React does because of it; in React 18.3, its types are of 18.2. */
export const { act } = React as unknown as { act: Act };

/** Change a field as a browser does: past what React put on the element to see changes that are its own. */
export function write(field: PageElement, property: 'value' | 'checked', to: unknown): void {
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), property)!.set!.call(field, to);
}

/** What a screen reader calls it. */
export function named(element: PageElement): string {
  return element.getAttribute('aria-label') ?? element.textContent.trim();
}
