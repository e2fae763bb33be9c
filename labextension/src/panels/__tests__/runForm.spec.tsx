import { later, Refusal, SILENCE, useBench } from './page';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parameter, problem, summary } from '../../__tests__/samples';
import type { Parameter, RunSummary } from '../../types';
import { AT_FIRST, queueOptions } from '../queueFields';
import { PipelineForm, StartForm } from '../runForm';
import { quotas } from './builders';

const bench = useBench();
const WEEK = parameter('week', { is_required: true, default_text: '', minimum: 1, maximum: 53 });

async function show(parameters: Parameter[] = [], told = quotas({ is_set: false })): Promise<void> {
  bench()
    .server.says('GET quotas', told)
    .says('POST runs', summary({ run_id: 'new' }));
  await bench().show(
    <PipelineForm
      context={bench().context}
      path="p.yaml"
      name="flights"
      parameters={parameters}
      onClose={() => bench().said.push('closed')}
    />
  );
}

const sent = (): unknown => bench().server.last?.[1];

describe('what is sent', () => {
  test('is nothing but the path where nothing was chosen', async () => {
    await show([parameter('week'), parameter('name', { type: 'str', default_text: '' })]);
    await bench().click('Run');
    assert.deepEqual(sent(), { path: 'p.yaml', arguments: {}, options: {} });
    assert.deepEqual(bench().said, ['closed']);
  });

  const chosen: [string, Partial<Parameter>, typed: string, argument: string | undefined][] = [
    ['a whole number', {}, '7', '7'],
    ['zero', {}, '0', '0'],
    ['the default, typed again', {}, '3', undefined],
    ['a text with quotes', { type: 'str', default_text: '' }, '"a" & <b>', '"a" & <b>'],
    ['another alphabet', { type: 'str', default_text: 'x' }, '航班 ✈', '航班 ✈'],
    ['a list', { type: 'list', default_text: '[1]' }, '[1, 2]', '[1, 2]'],
    ['a choice', { type: 'str', choices: ['a', 'b'], default_text: 'a' }, 'b', 'b'],
    ['no', { type: 'bool', default_text: 'True' }, 'False', 'False'],
    ['nothing at all, of what may be None', { is_optional: true }, 'None', 'None'],
    [
      'a secret by its name',
      { type: 'str', is_secret: true, default_text: '' },
      'secret:K',
      'secret:K'
    ]
  ];
  for (const [what, changes, typed, argument] of chosen) {
    test(`is ${what}`, async () => {
      const given = parameter('x', changes);
      await show([given]);
      await bench().type('x', typed);
      await bench().click('Run');
      const { arguments: args } = sent() as { arguments: Record<string, string> };
      assert.equal(args.x, argument);
    });
  }

  test('everything anew, when that is ticked', async () => {
    await show();
    assert.match(bench().text, /It has no parameters/);
    await bench().click(bench().one('input'));
    await bench().click('Run');
    assert.deepEqual(sent(), { path: 'p.yaml', arguments: {}, options: { force: 'all' } });
  });

  test('not twice: the button waits for the answer', async () => {
    await show();
    const { answer, come } = later();
    bench().server.says('POST runs', () => answer);
    await bench().click('Run');
    assert.ok(bench().button('Checking…').disabled);
    await bench().click('Checking…');
    assert.equal(bench().server.count('POST runs'), 1);
    await bench().do(() => come(summary({ run_id: 'late' })));
    assert.deepEqual(bench().opened, [['run', { runId: 'late', title: 'flights' }]]);
  });
});

describe('what is wrong', () => {
  const misfits: [typed: string, said: string][] = [
    ['', 'is required'],
    ['x', 'must be a whole number'],
    ['1.5', 'must be a whole number'],
    ['0', 'must be at least 1'],
    ['54', 'must be at most 53']
  ];
  for (const [typed, said] of misfits) {
    test(`is told by the form itself: ${typed || 'nothing'} ${said}`, async () => {
      await show([WEEK]);
      assert.equal(bench().all('[role=alert]').length, 0); // not before it is tried
      await bench().type('week', typed);
      await bench().click('Run');
      assert.equal(bench().one('[role=alert]').textContent, said);
      const field = bench().field('week');
      assert.equal(field.getAttribute('aria-invalid'), 'true');
      assert.equal(field.getAttribute('aria-describedby'), bench().one('[role=alert]').id);
      assert.equal(bench().server.last, null);
      await bench().type('week', '53');
      assert.equal(bench().all('[role=alert]').length, 0);
      await bench().click('Run');
      assert.deepEqual(sent(), { path: 'p.yaml', arguments: { week: '53' }, options: {} });
    });
  }

  test('is told by the server at the field that it names, the rest above', async () => {
    await show([parameter('week'), parameter('mode', { type: 'str' })]);
    bench().server.says(
      'POST runs',
      new Refusal(422, 'two problems', '', [
        problem('there is no week 3', { parameter: 'week', hint: 'take 4' }),
        problem('fit: no notebook', { where: 'p.yaml:9' }),
        problem('there is no other', { parameter: 'gone' })
      ])
    );
    await bench().click('Run');
    assert.equal(bench().one('.jp-mlops-Field-wrong').textContent, 'there is no week 3; take 4');
    assert.deepEqual(bench().texts('.jp-mlops-Problems li'), [
      '✘p.yaml:9fit: no notebook',
      '✘there is no other'
    ]);
    assert.deepEqual(bench().said, []); // it stays open
    assert.ok(!bench().button('Run').disabled);
  });

  test('and is gone with the next try', async () => {
    await show([parameter('week')]);
    bench().server.says('POST runs', new Refusal(409, 'the queue is closed', 'come back at 6'));
    await bench().click('Run');
    assert.equal(bench().one('[role=alert]').textContent, 'the queue is closed; come back at 6');
    bench().server.says('POST runs', summary());
    await bench().click('Run');
    assert.equal(bench().all('[role=alert]').length, 0);
  });

  test('is that nobody answers: the panel then looks for the server', async () => {
    await show();
    bench().server.says('POST runs', SILENCE).says('GET status', SILENCE);
    await bench().click('Run');
    assert.equal(bench().one('[role=alert]').textContent, 'the server does not answer');
    assert.equal(bench().model.connection, 'lost');
  });

  test('is something else than an error', async () => {
    bench().server.says('GET quotas', quotas({ is_set: false }));
    await bench().show(
      <StartForm
        context={bench().context}
        parameters={[]}
        start={() => Promise.reject('out of <order>')}
        onStarted={run => bench().said.push(run.run_id)}
      />
    );
    await bench().click('Run');
    assert.equal(bench().one('[role=alert]').textContent, 'out of <order>');
    assert.deepEqual(bench().buttons, ['Run']); // nothing to cancel where it cannot be closed
  });
});

describe('the form for a single notebook', () => {
  test('does not offer to run everything anew', async () => {
    bench().server.says('GET quotas', quotas({ is_set: false }));
    const started: RunSummary[] = [];
    await bench().show(
      <StartForm
        context={bench().context}
        parameters={[parameter('week')]}
        isForceOffered={false}
        start={async (texts, isForced) => summary({ run_id: `${texts.week} ${isForced}` })}
        onStarted={run => started.push(run)}
      />
    );
    assert.equal(bench().all('[type=checkbox]').length, 0);
    await bench().type('week', '8');
    await bench().click('Run');
    assert.deepEqual(
      started.map(run => run.run_id),
      ['8 false']
    );
  });
});

describe('queue and priority', () => {
  test('are there only where quotas are set', async () => {
    await show();
    assert.doesNotMatch(bench().text, /Queue and priority/);
    bench().server.says('GET quotas', quotas());
    await bench().ring(['queue']);
    assert.match(bench().text, /Queue and priority/);
  });

  test('go along with the run', async () => {
    await show([], quotas());
    await bench().type('Queue', 'night');
    await bench().type('Priority', '-5');
    await bench().click(bench().field('It may make way for others, and goes on later'));
    await bench().click('Run');
    assert.deepEqual((sent() as { options: object }).options, {
      queue: 'night',
      priority: -5,
      is_preemptible: true
    });
  });

  test('have no choice where there is one queue', async () => {
    await show([], quotas({ queues: ['default'] }));
    assert.equal(bench().all('select').length, 0);
    assert.ok(bench().field('Priority'));
  });

  test('the first queue is the one that is taken unless another is named', async () => {
    await show([], quotas());
    assert.deepEqual(
      bench()
        .all('option')
        .map(option => [option.getAttribute('value'), option.textContent]),
      [
        ['', 'default'],
        ['night', 'night']
      ]
    );
  });

  const priorities: [string, object][] = [
    ['', {}],
    [' ', {}],
    ['0', { priority: 0 }],
    ['-1000', { priority: -1000 }],
    ['1e3', { priority: 1000 }],
    ['1.5', {}],
    ['high', {}]
  ];
  for (const [priority, wanted] of priorities) {
    test(`a priority of "${priority}" is sent as ${JSON.stringify(wanted)}`, () =>
      assert.deepEqual(queueOptions({ ...AT_FIRST, priority }), wanted));
  }
});
