/** The schedules of a pipeline's text: as fields show them, and the texts that follow from what the fields say. Pure. */
import { trans } from '../language';
import { type IScheduleTexts, PLAIN } from '../schedules/fields';
import type { Parameter } from '../types';
import { argumentText, argumentValue } from './arguments';
import { keyEdit } from './cutting';
import { type IOutline, outline } from './outline';
import { EditError } from './places';
import { TASK_NAME } from './references';
import { shown, typed } from './scalars';
import { plain, proved, put, read, take } from './source';
import { kindOf, type Plain } from './values';

/** The keys that lead to a setting: `schedules`, the name, the setting. The schedule stays when its last one goes. */
const SETTING = 3;

/** The pipeline's parameters, as the forms of arguments take them; what is given beyond them, too, so that it can be taken away. */
export function declared(pipeline: IOutline, given: Plain): Parameter[] {
  const known = Object.entries(pipeline.parameters).map(([name, said]) => {
    const isLong = said !== null && typeof said === 'object' && !Array.isArray(said);
    const { type, default: usual, help } = (isLong ? said : { default: said }) as Plain;
    return parameter(name, {
      type: typeof type === 'string' ? type : kindOf(usual),
      default_text: usual === null ? '' : argumentText(usual, parameter(name, { type: 'str' })),
      is_required: usual === undefined,
      help: typeof help === 'string' ? help : ''
    });
  });
  const beyond = Object.keys(given).filter(name => !(name in pipeline.parameters));
  return [...known, ...beyond.map(name => parameter(name, {}))];
}

const parameter = (name: string, changes: Partial<Parameter>): Parameter => ({
  name,
  type: 'any',
  default: null,
  default_text: '',
  is_required: false,
  is_optional: false,
  is_secret: false,
  help: '',
  choices: null,
  minimum: null,
  maximum: null,
  step: null,
  ...changes
});

/** The arguments that a schedule gives. */
export function argumentsOf(settings: Plain): Plain {
  const given = settings.parameters;
  return given !== null && typeof given === 'object' && !Array.isArray(given)
    ? (given as Plain)
    : {};
}

/** What the fields of a schedule show. */
export function textsOf(settings: Plain, parameters: readonly Parameter[]): IScheduleTexts {
  const given = argumentsOf(settings);
  const text = (key: string, usual = ''): string => {
    const value = settings[key];
    return value === undefined || value === null
      ? usual
      : typeof value === 'string'
        ? value
        : shown(value);
  };
  return {
    cron: text('cron'),
    timezone: text('timezone'),
    overlap: text('overlap', PLAIN.overlap),
    catchUp: text('catch_up', PLAIN.catchUp),
    jitter: text('jitter'),
    start: text('start'),
    end: text('end'),
    isPaused: settings.paused === true,
    arguments: Object.fromEntries(
      parameters.map(one => [one.name, argumentText(given[one.name], one)])
    ),
    queue: {
      queue: text('queue'),
      priority: text('priority'),
      isPreemptible: settings.preemptible === true
    }
  };
}

/** The text in which a schedule says what its fields say now; only what they changed is changed. */
export function changeSchedule(
  text: string,
  name: string,
  parameters: readonly Parameter[],
  before: IScheduleTexts,
  after: IScheduleTexts
): string {
  const settings: [path: string[], was: unknown, is: unknown, value: unknown][] = [
    [['cron'], before.cron, after.cron, words(after.cron)],
    [['timezone'], before.timezone, after.timezone, words(after.timezone)],
    [['overlap'], before.overlap, after.overlap, after.overlap],
    [['catch_up'], before.catchUp, after.catchUp, after.catchUp],
    [['jitter'], before.jitter, after.jitter, number(after.jitter)],
    [['start'], before.start, after.start, words(after.start)],
    [['end'], before.end, after.end, words(after.end)],
    [['paused'], before.isPaused, after.isPaused, after.isPaused],
    [['queue'], before.queue.queue, after.queue.queue, words(after.queue.queue)],
    [['priority'], before.queue.priority, after.queue.priority, number(after.queue.priority)],
    [
      ['preemptible'],
      before.queue.isPreemptible,
      after.queue.isPreemptible,
      after.queue.isPreemptible
    ],
    ...parameters.map((one): [string[], unknown, unknown, unknown] => [
      ['parameters', one.name],
      before.arguments[one.name] ?? '',
      after.arguments[one.name] ?? '',
      argumentValue(after.arguments[one.name] ?? '', one)
    ])
  ];
  return settings
    .filter(([, was, is]) => was !== is)
    .reduce((made, [path, , , value]) => {
      const whole = ['schedules', name, ...path];
      return value === undefined ? take(made, whole, SETTING) : put(made, whole, value);
    }, text);
}

/** A new schedule at the end. */
export function addSchedule(text: string, name: string, cron: string, timezone: string): string {
  check(outline(text), name);
  return put(text, ['schedules', name], { cron, timezone });
}

/** Without a schedule. */
export function removeSchedule(text: string, name: string): string {
  return take(text, ['schedules', name], 1);
}

/** A schedule under another name. */
export function renameSchedule(text: string, from: string, to: string): string {
  if (from === to) {
    return text;
  }
  const pipeline = outline(text);
  check(pipeline, to);
  const body = plain(text);
  const { [from]: said, ...others } = body.schedules as Plain;
  return proved(text, [keyEdit(read(text), ['schedules', from], to)], {
    ...body,
    schedules: { ...others, [to]: said }
  });
}

function check(pipeline: IOutline, name: string): void {
  if (!TASK_NAME.test(name)) {
    throw new EditError(
      trans.__('A name begins with a letter and goes on with letters, digits, _ and -')
    );
  }
  if (name in pipeline.schedules) {
    throw new EditError(trans.__('There is a schedule %1 already', name));
  }
}

const words = (text: string): unknown => text.trim() || undefined;
const number = (text: string): unknown => (text.trim() === '' ? undefined : typed(text));
