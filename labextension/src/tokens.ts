/**
 * What the parts of the panel hand to each other.
 *
 * Imports point one way: api ← model ← components ← panels ← sections, tabs ← commands ← index.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Api } from './api';
import type { Model } from './model';
import type { Navigation } from './navigation';
import type { Preferences } from './preferences';

/** What a tab is about: `{runId: '…'}`, `{name: 'late-flights'}`. Plain strings, so that a tab can be restored. */
export type Args = Readonly<Record<string, string>>;

/** By this name JupyterLab knows the editor of pipelines; people read it in their language. */
export const EDITOR = 'Pipeline Editor';

/** Everything a section or a tab may use. There is one, made when the extension is activated. */
export interface IContext {
  readonly app: JupyterFrontEnd;
  readonly api: Api;
  readonly model: Model;
  readonly navigation: Navigation;
  readonly preferences: Preferences;
  readonly trans: TranslationBundle;

  /** Open a main-area tab of a kind named in `tabs.ts`, or show the one that is open for these arguments. */
  open(kind: string, args: Args): void;

  /** Open a file of the server (a notebook, a YAML) with its usual editor, or with the factory named. */
  openFile(path: string, factory?: string): void;

  /** Say in a notification what went wrong: the error's message, and its hint. */
  report(error: unknown): void;

  /** Say in a notification that something is done. */
  say(text: string): void;
}
