/**
 * The language that the panel speaks. It is chosen once, when JupyterLab starts (another one needs a reload there, too).
 *
 * Whoever has a context uses `context.trans`, which is the same. This is for words that are made far from it, in pure
 * functions of values; they must be made when they are shown, not when a module is loaded.
 */
export interface ILanguage {
  __(text: string, ...values: unknown[]): string;
  _n(one: string, many: string, count: number, ...values: unknown[]): string;
}

const filled = (text: string, values: readonly unknown[]): string =>
  text.replace(/%(\d+)/g, (_, number: string) => String(values[Number(number) - 1]));

let language: ILanguage = {
  __: (text, ...values) => filled(text, values),
  _n: (one, many, count, ...values) => filled(count === 1 ? one : many, [count, ...values])
};

/** Speak another language from now on. */
export function speak(chosen: ILanguage): void {
  language = chosen;
}

export const trans: ILanguage = {
  __: (text, ...values) => language.__(text, ...values),
  _n: (one, many, count, ...values) => language._n(one, many, count, ...values)
};
