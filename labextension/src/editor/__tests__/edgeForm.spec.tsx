import {
  all,
  button,
  click,
  field,
  fill,
  hasButton,
  key,
  offered,
  one,
  options,
  show,
  type,
  valueOf
} from './page';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ConnectForm, EdgeForm, type IConnectForm } from '../edgeForm';
import { connections, outline } from '../outline';
import { never, parameter, trans } from './builders';
import { FLIGHTS } from './texts';

const LIMIT = parameter('limit', { is_required: true });

/** The question of a new line, and what was answered. */
function asked(changes: Partial<IConnectForm> = {}, text = FLIGHTS) {
  const answers: (string | undefined)[] = [];
  const { root } = show(
    <ConnectForm
      pipeline={outline(text)}
      source="features"
      target="deploy"
      parameters={[]}
      trans={trans}
      onConnect={given => answers.push(given && `${given.parameter}: ${given.reference}`)}
      onCancel={never('cancelling')}
      {...changes}
    />
  );
  return {
    root,
    answers,
    of: (label: string) => field(root, label),
    connect: () => click(button(root, 'Connect')),
    preview: () => all(root, 'pre').map(({ textContent }) => textContent)
  };
}

describe('a new line', () => {
  it('gives an artifact where the later notebook needs something', () => {
    const { root, answers, connect, preview, of } = asked({ parameters: [LIMIT] });
    assert.equal(one(root, 'h3').textContent, 'features → deploy');
    assert.equal(valueOf(of('What goes along')), 'artifacts');
    assert.equal(valueOf(of('For the parameter')), 'limit');
    assert.deepEqual(preview(), ['limit: ${tasks.features.artifacts.features}']);
    connect();
    assert.deepEqual(answers, ['limit: ${tasks.features.artifacts.features}']);
  });

  it('is only an order where nothing is required', () => {
    const { answers, connect, preview, of } = asked({ parameters: [parameter('n')] });
    assert.equal(valueOf(of('What goes along')), 'needs');
    assert.deepEqual(preview(), []);
    connect();
    assert.deepEqual(answers, [undefined]);
  });

  it('may carry a result, an artifact, or how it ended', () => {
    const { answers, connect, of } = asked({ parameters: [LIMIT] });
    type(of('What goes along'), 'results');
    fill(of('Result of features'), 'rows');
    connect();
    type(of('What goes along'), 'artifacts');
    fill(of('Artifact of features'), 'table-2');
    connect();
    type(of('What goes along'), 'state');
    connect();
    assert.deepEqual(answers, [
      'limit: ${tasks.features.results.rows}',
      'limit: ${tasks.features.artifacts.table-2}',
      'limit: ${tasks.features.state}'
    ]);
  });

  it('knows by name what the earlier task gives already', () => {
    const { root, of, preview } = asked({
      source: 'pull',
      parameters: [parameter('week', { is_required: true })]
    });
    type(of('What goes along'), 'results');
    assert.deepEqual(offered(root, of('Result of pull')), ['week']);
    assert.deepEqual(preview(), ['week: ${tasks.pull.results.week}']);
  });

  it('guesses the name of the parameter where nothing is known', () => {
    const { of, preview } = asked({ source: 'deploy', target: 'train', parameters: [LIMIT] });
    assert.equal(of('Artifact of deploy').getAttribute('placeholder'), 'limit');
    assert.deepEqual(preview(), ['limit: ${tasks.deploy.artifacts.limit}']);
  });

  it('tells which parameters have a value, and lets one be chosen', () => {
    const { of, preview } = asked({ parameters: [parameter('model'), LIMIT] });
    assert.deepEqual(options(of('For the parameter')), ['model (has a value)', 'limit']);
    type(of('For the parameter'), 'model');
    assert.match(preview()[0], /^model: /);
  });

  it('asks for the name of a parameter where none is known', () => {
    const { root, of, preview, answers, connect } = asked(
      {},
      'tasks:\n  features: {notebook: a.ipynb}\n  deploy: {notebook: b.ipynb}\n'
    );
    type(of('What goes along'), 'state');
    assert.deepEqual(preview(), ['…: ${tasks.features.state}']);
    assert.ok(button(root, 'Connect').disabled);
    connect();
    assert.deepEqual(answers, []);
    fill(of('For the parameter'), 'how');
    connect();
    assert.deepEqual(answers, ['how: ${tasks.features.state}']);
  });

  it('takes only names that a reference can have', () => {
    for (const [name, isFine] of [
      ['rows', true],
      ['rows-2', true],
      ['a b', false],
      ['a}', false],
      ['${x}', false],
      ['ü', false]
    ] as const) {
      const { root, of } = asked({ parameters: [LIMIT] });
      fill(of('Artifact of features'), name);
      assert.equal(button(root, 'Connect').disabled, !isFine, name);
    }
  });

  it('is dropped with a button or with Escape', () => {
    let times = 0;
    const { root, of } = asked({ onCancel: () => times++, parameters: [LIMIT] });
    click(button(root, 'Cancel'));
    key(of('What goes along'), 'Escape');
    key(of('What goes along'), 'a');
    assert.equal(times, 2);
  });
});

describe('a line that is there', () => {
  const edge = (source: string, target: string) =>
    connections(outline(FLIGHTS)).find(one => one.source === source && one.target === target)!;
  const shown = (source: string, target: string, isReadOnly = false, onRemove = never('cutting')) =>
    show(
      <EdgeForm
        connection={edge(source, target)}
        isReadOnly={isReadOnly}
        trans={trans}
        onRemove={onRemove}
      />
    ).root;
  const facts = (root: ReturnType<typeof shown>) =>
    all(root, 'dt').map((name, i) => [name.textContent, all(root, 'dd')[i].textContent]);

  it('says all its reasons', () => {
    assert.deepEqual(facts(shown('features', 'train')), [
      ['features', '${tasks.features.artifacts.features}'],
      ['the order', 'it only comes after']
    ]);
    const [, when] = facts(shown('compare', 'deploy'));
    assert.equal(when[0], 'when');
    assert.match(when[1], /^tasks\.compare\.results\.auc > 0\.6 and/);
  });

  it('can be cut, where something may be changed', () => {
    let times = 0;
    const root = shown('pull', 'train', false, (() => times++) as never);
    click(button(root, 'Disconnect'));
    assert.equal(times, 1);
    assert.ok(!hasButton(shown('pull', 'train', true), 'Disconnect'));
  });
});
