import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { addNotebook, relativeTo } from '../adding';

const TEXT = `# who leaves?
name: churn
parameters:
  rows: {type: int, default: 10}
tasks:
  load:
    notebook: load.ipynb  # reads
  fit:
    notebook: fit.ipynb
    parameters: {rows: "\${params.rows}"}
`;

test('a notebook becomes a task, its parameters given by name', () => {
  const given = [
    { task: 'load', results: ['auc', 'seen'] },
    { task: 'fit', results: ['auc'] },
    { task: 'gone', results: ['other'] }
  ];
  const made = addNotebook(TEXT, 'report.ipynb', ['rows', 'auc', 'other', 'title'], given);
  assert.equal(made.task, 'report');
  assert.deepEqual(made.wired, {
    rows: '${params.rows}',
    auc: '${tasks.fit.results.auc}'
  });
  assert.ok(made.text.startsWith(TEXT.trimEnd()));
  assert.match(made.text, /report:\n {4}notebook: report\.ipynb/);
});

test('a name that is taken is counted on', () => {
  assert.equal(addNotebook(TEXT, 'other/fit.ipynb', []).task, 'fit_2');
});

test('paths are as seen from the pipeline', () => {
  assert.equal(relativeTo('churn/pipeline.yaml', 'churn/fit.ipynb'), 'fit.ipynb');
  assert.equal(relativeTo('churn/pipeline.yaml', 'shared/a.ipynb'), '../shared/a.ipynb');
  assert.equal(relativeTo('pipeline.yaml', 'deep/er/a.ipynb'), 'deep/er/a.ipynb');
  assert.equal(relativeTo('a/b/pipeline.yaml', 'a/c.ipynb'), '../c.ipynb');
});
