import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type ISharedText, update } from '../shared';

class Text {
  calls: [number, number, string][] = [];
  constructor(private _text: string) {}
  getSource(): string {
    return this._text;
  }
  updateSource(start: number, end: number, value = ''): void {
    this.calls.push([start, end, value]);
    this._text = this._text.slice(0, start) + value + this._text.slice(end);
  }
}

describe('an update', () => {
  it('touches only what differs', () => {
    const pairs: [string, string, [number, number, string]][] = [
      ['abc', 'axc', [1, 2, 'x']],
      ['aa', 'aaa', [2, 2, 'a']],
      ['aaa', 'aa', [2, 3, '']],
      ['', 'x', [0, 0, 'x']],
      ['a: 1\nb: 2\n', 'a: 1\nc: 3\nb: 2\n', [5, 5, 'c: 3\n']]
    ];
    for (const [before, after, call] of pairs) {
      const text = new Text(before);
      update(text as unknown as ISharedText, after);
      assert.equal(text.getSource(), after);
      assert.deepEqual(text.calls, [call]);
      update(text as unknown as ISharedText, after);
      assert.equal(text.calls.length, 1);
    }
  });
});
