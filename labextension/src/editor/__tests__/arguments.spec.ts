import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Parameter } from '../../types';
import { argumentRows, argumentValue, gives, offers } from '../arguments';
import { outline } from '../outline';
import { parameter } from './builders';
import { FLIGHTS } from './texts';

const required = (name: string, type: string): Parameter =>
  parameter(name, { type, is_required: true });

const PIPELINE = outline(FLIGHTS);

describe('arguments', () => {
  it("are the notebook's, then the others", () => {
    const rows = argumentRows(PIPELINE.tasks[0], [
      required('limit', 'int'),
      required('code', 'str')
    ]);
    assert.deepEqual(
      rows.map(({ name, text, isGiven }) => [name, text, isGiven]),
      [
        ['limit', '', false],
        ['code', '007', true],
        ['week', '${params.week}', true]
      ]
    );
  });

  it('are read by their type', () => {
    assert.equal(argumentValue('20', required('a', 'int')), 20);
    assert.equal(argumentValue('20', required('a', 'str')), '20');
    assert.equal(argumentValue('yes # no', required('a', 'str')), 'yes # no');
    assert.equal(argumentValue('"20"', required('a', 'str')), '20');
    assert.deepEqual(argumentValue('[1, 2]'), [1, 2]);
    assert.equal(argumentValue(' '), undefined);
  });

  it('may be what others give', () => {
    const offered = offers(PIPELINE, 'train');
    assert.ok(offered.includes('${params.week}') && offered.includes('${matrix.model}'));
    assert.ok(offered.includes('${tasks.pull.artifacts.flights}'));
    assert.ok(!offered.some(one => one.includes('tasks.train') || one.includes('tasks.compare')));
    assert.deepEqual(gives(PIPELINE, 'train'), ['${tasks.train.results.auc}']);
  });
});
