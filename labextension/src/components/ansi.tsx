/** Text with a terminal's colors, as elements: nothing in it is ever taken for HTML. */
import type { ReactElement } from 'react';

export interface ISpan {
  readonly text: string;
  /** 0 to 7 as terminals count them, or -1. */
  readonly color: number;
  readonly isBold: boolean;
}

const SEQUENCE = /\x1b\[([0-9;]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b./g;

/** Split at the sequences; colors and bold are kept, what moves a cursor is dropped. */
export function spans(text: string): ISpan[] {
  const found: ISpan[] = [];
  let color = -1;
  let isBold = false;
  let at = 0;
  const push = (piece: string): void => {
    if (piece) {
      found.push({ text: piece, color, isBold });
    }
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] !== 'm') {
      continue;
    }
    const codes = match[1].split(';').map(Number);
    for (let i = 0; i < codes.length; i += 1) {
      const code = codes[i];
      if (code === 0) {
        [color, isBold] = [-1, false];
      } else if (code === 1) {
        isBold = true;
      } else if (code === 22) {
        isBold = false;
      } else if (code === 39) {
        color = -1;
      } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
        color = code % 10;
      } else if (code === 38 || code === 48) {
        i += codes[i + 1] === 2 ? 4 : 2; // a palette's or a true color: the theme's own is more legible
      }
    }
  }
  push(text.slice(at));
  return found;
}

/** What a terminal would show in the end of lines that were written over, as progress bars do. */
export function overwritten(text: string): string {
  // Not by one expression for all of it: on a line of 400,000 characters that would look for minutes.
  const shown = (line: string): string =>
    line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace('\r', '');
  return text.split('\n').map(shown).join('\n');
}

export function Ansi({ text }: { text: string }): ReactElement {
  return (
    <>
      {spans(overwritten(text)).map((span, index) => (
        <span
          key={index}
          className={`${span.color >= 0 ? `jp-mlops-ansi-${span.color}` : ''}${span.isBold ? ' jp-mlops-bold' : ''}`}
        >
          {span.text}
        </span>
      ))}
    </>
  );
}
