/** Pipelines as people write them, and generated ones. */

export const FLIGHTS = `# yaml-language-server: $schema=pipeline.schema.json
# Two models, one winner.
name: flights
description: Which flights will leave late?  # asked every Monday

parameters:
  week:
    type: int
    default: 20
    help: the newest week
  models: [logistic, boosting]

defaults:
  timeout: 5m
  resources: {cpu: 1, memory: 1Gi}

tasks:
  pull:
    notebook: pull.ipynb
    parameters:
      week: \${params.week}   # a number
      code: 007
    retries: {limit: 3, delay: 2s}  # a database may be away

  # The features come from the pull.
  features:
    notebook: features.ipynb
    parameters: {flights: "\${tasks.pull.artifacts.flights}", "title": 'Week \${tasks.pull.results.week} and $\${tasks.pull.x}'}

  train:
    notebook: train.ipynb
    description: >-
      Learns from
      what there is
    needs: [pull, features]
    matrix: {model: "\${params.models}"}
    parameters:
      # which one
      model: \${matrix.model}
      features: \${tasks.features.artifacts.features}

  compare:
    notebook: compare.ipynb
    needs:
      - pull   # for its log
      - features
    parameters:
      scores: \${tasks.train.results.auc}

  deploy:
    notebook: deploy.ipynb
    when: tasks.compare.results.auc > 0.6 and \${tasks.pull.state} != 'tasks.pull.state'
    parameters: {model: "\${tasks.compare.results.best}"}
  # the end
`;

/** A small random number generator, the same numbers for the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export interface IGenerated {
  text: string;
  names: string[];
  comments: string[];
}

/** A pipeline in a style chosen by the seed: indents, quotes, brackets, comments, blank lines, line ends. */
export function generate(seed: number): IGenerated {
  const pick = random(seed);
  const step = ' '.repeat(2 + pick(3));
  const comments: string[] = [];
  const comment = (indent: string): string[] => {
    if (pick(3) > 0) {
      return [];
    }
    comments.push(`note ${comments.length} of ${seed}`);
    return [`${indent}# ${comments[comments.length - 1]}`];
  };
  const behind = (): string => {
    if (pick(4) > 0) {
      return '';
    }
    comments.push(`behind ${comments.length} of ${seed}`);
    return `  # ${comments[comments.length - 1]}`;
  };
  const quote = (text: string): string => [text, `"${text}"`, `'${text}'`][pick(3)];
  const count = 2 + pick(5);
  const names = Array.from(
    { length: count },
    (_, i) => ['pull', 'train-b', 'x_1', 'load', 'Fit', 'z'][i]
  );
  const isApart = pick(2) === 0;
  const out = [...comment(''), `name: generated${behind()}`];
  if (pick(2)) {
    out.push('parameters:', `${step}week: 20${behind()}`, `${step}title: ${quote('a b')}`);
  }
  out.push('', 'tasks:');
  names.forEach((name, i) => {
    if (isApart && i > 0) {
      out.push('');
    }
    out.push(...comment(step));
    const before = i > 0 ? names[pick(i)] : '';
    const reference = `\${tasks.${before}.results.rows}`;
    const style = pick(4);
    if (style === 0) {
      const needs = before && pick(2) ? `, needs: [${before}]` : '';
      const given = before ? `, parameters: {rows: "${reference}", n: 1}` : '';
      out.push(`${step}${name}: {notebook: ${name}.ipynb${needs}${given}}${behind()}`);
      return;
    }
    out.push(
      `${step}${name}:${behind()}`,
      ...comment(step + step),
      `${step}${step}notebook: ${quote(`${name}.ipynb`)}`
    );
    if (before && pick(2)) {
      out.push(
        ...(style === 1
          ? [`${step}${step}needs: ${before}${behind()}`]
          : style === 2
            ? [`${step}${step}needs:`, `${step}${step}- ${before}${behind()}`]
            : [`${step}${step}needs: [${quote(before)}]`])
      );
    }
    if (before && pick(3)) {
      out.push(
        `${step}${step}parameters:`,
        ...comment(step + step + step),
        `${step}${step}${step}rows: ${quote(reference)}${behind()}`,
        `${step}${step}${step}text: |`,
        `${step}${step}${step}  of ${reference}`,
        `${step}${step}${step}  # no comment`
      );
    }
    if (before && pick(2)) {
      out.push(`${step}${step}when: tasks.${before}.results.n > ${pick(9)}${behind()}`);
    }
    out.push(...comment(step + step));
  });
  out.push(...comment(''));
  const text = out.join('\n') + (pick(4) ? '\n' : '');
  return { text: pick(6) ? text : text.replace(/\n/g, '\r\n'), names, comments };
}
