/** The document's text as the editor uses it. */
import type { ISignal } from '@lumino/signaling';

/** The part of a shared file (`YFile`) that is used: undo, dirtiness, saving and collaboration hang on it. */
export interface ISharedText {
  getSource(): string;
  updateSource(start: number, end: number, value?: string): void;
  undo(): void;
  redo(): void;
  canUndo(): boolean;
  canRedo(): boolean;
  readonly changed: ISignal<unknown, unknown>;
}

/**
 * Puts a new text in the place of the old one as the smallest piece that differs, so that the cursors of others stay
 * where they are and an undo takes back one step.
 */
export function update(shared: ISharedText, text: string): void {
  const before = shared.getSource();
  if (before === text) {
    return;
  }
  const [start, end] = difference(before, text);
  shared.updateSource(start, before.length - end, text.slice(start, text.length - end));
}

/** How many characters two texts share at their beginnings and at their ends. */
export function difference(before: string, after: string): [number, number] {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) {
    start++;
  }
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) {
    end++;
  }
  return [start, end];
}
