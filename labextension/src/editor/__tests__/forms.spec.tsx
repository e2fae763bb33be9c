import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { renderToStaticMarkup } from 'react-dom/server';

import { trans } from '../../__tests__/samples';
import type { IContext } from '../../tokens';
import type { Graph, Parameter } from '../../types';
import { Canvas } from '../canvas';
import { ConnectForm, EdgeForm } from '../edgeForm';
import { connections, type IPlaced, outline } from '../outline';
import { PipelineForm } from '../pipelineForm';
import { placeAll } from '../reading';
import { TaskForm } from '../taskForm';
import { FLIGHTS } from './texts';

const nothing = (): void => undefined;
const PIPELINE = outline(FLIGHTS);
const WEEK: Parameter = {
  name: 'week',
  type: 'int',
  default: 20,
  default_text: '20',
  is_required: false,
  is_optional: false,
  is_secret: false,
  help: 'which <week>',
  choices: null,
  minimum: null,
  maximum: null,
  step: null
};
const LIMIT: Parameter = { ...WEEK, name: 'limit', is_required: true, default_text: '' };

function form(name: string, problems: IPlaced[] = [], isReadOnly = false): string {
  return renderToStaticMarkup(
    <TaskForm
      pipeline={PIPELINE}
      task={PIPELINE.tasks.find(task => task.name === name)!}
      parameters={name === 'pull' ? [WEEK, LIMIT] : []}
      problems={problems}
      isReadOnly={isReadOnly}
      trans={trans}
      edit={() => true}
      onRename={nothing}
      onRemove={nothing}
      onOpen={nothing}
    />
  );
}

describe('the form of a task', () => {
  it('shows what the notebook takes and what is given', () => {
    const html = form('pull');
    assert.match(html, /week<\/label>.*value="\$\{params.week\}".*which &lt;week&gt;/s);
    assert.match(html, /limit<\/label>.*int \*.*placeholder="required"/s);
    assert.match(html, /code<\/label>.*value="007"/s);
    assert.match(html, /Retries.*value="3".*Delay.*value="2s"/s);
    assert.match(html, /placeholder="5m"/); // what the pipeline's defaults say
  });

  it('shows problems at their fields, and the others above', () => {
    const problems: IPlaced[] = [
      {
        message: 'no such week',
        hint: 'try 3',
        severity: 'error',
        task: 'pull',
        key: 'parameters.week'
      },
      { message: 'odd env', severity: 'warning', task: 'pull', key: 'env.X' }
    ];
    const html = form('pull', problems);
    assert.match(html, /<ul class="jp-mlops-Problems">.*odd env.*<\/ul>.*no such week; try 3/s);
    assert.match(html, /jp-mod-wrong.*aria-invalid="true"/s);
  });

  it('opens what is set, and can be locked', () => {
    assert.match(form('deploy'), /<details class="jp-mlops-Fold" open=""><summary>Condition/);
    assert.match(form('pull'), /<details class="jp-mlops-Fold"><summary>Condition/);
    const locked = form('compare', [], true);
    assert.ok(!locked.includes('Remove') && !locked.includes('wait for another task'));
    assert.match(locked, /disabled=""/);
  });
});

describe('the picture', () => {
  const graph: Graph = {
    width: 300,
    height: 60,
    direction: 'right',
    nodes: [
      { id: 'pull', label: 'pull', kind: 'task', x: 0, y: 0, width: 100, height: 40 },
      { id: 'train', label: 'train', kind: 'matrix', x: 160, y: 0, width: 100, height: 40 }
    ],
    edges: [
      {
        source: 'pull',
        target: 'train',
        kind: 'needs',
        points: [
          [100, 20],
          [160, 20]
        ]
      }
    ]
  };
  const draw = (isReadOnly: boolean): string =>
    renderToStaticMarkup(
      <Canvas
        graph={graph}
        tasks={new Map(PIPELINE.tasks.map(task => [task.name, task]))}
        problems={
          new Map([
            [
              'pull',
              [
                { message: 'a', severity: 'error' },
                { message: 'b', severity: 'error' }
              ]
            ]
          ])
        }
        selection={{ source: 'pull', target: 'train' }}
        isReadOnly={isReadOnly}
        trans={trans}
        onSelect={nothing}
        onConnect={nothing}
        onRemove={nothing}
        onOpen={nothing}
      />
    );

  it('has tasks with badges, edges, and a way to cut the picked one', () => {
    const html = draw(false);
    assert.match(html, /aria-label="Task pull, 2 problems"/);
    assert.match(html, /jp-mlops-Card-badge" aria-hidden="true">2</);
    assert.match(html, /matrix/);
    assert.match(html, /aria-label="Disconnect pull from train" transform="translate\(130, 20\)"/);
  });

  it('offers nothing where nothing can be changed', () => {
    const html = draw(true);
    assert.ok(!html.includes('jp-mlops-Card-port') && !html.includes('Disconnect'));
  });
});

describe('lines', () => {
  it('ask what goes along', () => {
    const html = renderToStaticMarkup(
      <ConnectForm
        pipeline={PIPELINE}
        source="features"
        target="deploy"
        parameters={[LIMIT]}
        trans={trans}
        onConnect={nothing}
        onCancel={nothing}
      />
    );
    assert.match(html, /limit: \$\{tasks.features.artifacts.features\}/);
    assert.match(html, /model \(has a value\)/);
  });

  it('say why they are there', () => {
    const edge = connections(PIPELINE).find(one => one.source === 'compare')!;
    const html = renderToStaticMarkup(
      <EdgeForm connection={edge} isReadOnly={false} trans={trans} onRemove={nothing} />
    );
    assert.match(html, /deploy waits for compare.*model.*\$\{tasks.compare.results.best\}.*when/s);
  });
});

describe('the form of the pipeline', () => {
  it('has its parameters with types', () => {
    const html = renderToStaticMarkup(
      <PipelineForm
        context={{} as IContext}
        onActivate={() => undefined}
        pipeline={PIPELINE}
        problems={[]}
        isReadOnly={false}
        trans={trans}
        edit={() => true}
      />
    );
    assert.match(html, /week<\/label>.*value="20".*<option selected="">int/s);
    assert.match(
      html,
      /models<\/label>.*value="\[logistic, boosting\]".*<option selected="">list/s
    );
  });
});

describe('problems of the server', () => {
  it('are placed by the parameter that they name', () => {
    const base = { hint: '', severity: 'error' as const, where: '', file: null, parameter: null };
    const [one, two, three] = placeAll(FLIGHTS, [
      { ...base, message: "pull: there is no parameter 'speed'", line: 21, task: 'pull' },
      { ...base, message: 'wrong', line: null, task: 'train', parameter: 'model' },
      { ...base, message: 'the file is odd', line: null, task: null }
    ]);
    assert.deepEqual(
      [one.task, one.key, one.message],
      ['pull', 'parameters.speed', "there is no parameter 'speed'"]
    );
    assert.deepEqual([two.task, two.key], ['train', 'parameters.model']);
    assert.deepEqual([three.task, three.key], ['', '']);
  });
});
