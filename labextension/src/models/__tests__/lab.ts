/** What a test plays of JupyterLab and of the server: dialogs that are answered, requests that are. */
import { instead } from '../../__tests__/instead';

/** A dialog that was shown, and what its buttons are called. */
export interface IAsked {
  title: string;
  body: string;
  buttons: string[];
  default: string;
  isGrave: boolean;
}
type Button = { label: string; accept: boolean; isGrave?: boolean };

/** The dialogs that were shown since the test began, and what a user answers to the next ones (yes, when not told). */
export const dialogs: { shown: IAsked[]; answers: boolean[] } = { shown: [], answers: [] };

/** JupyterLab's dialogs need a whole browser: here, one is remembered and answered. */
const apputils = {
  Dialog: {
    okButton: ({ label }: { label: string }) => ({ label, accept: true }),
    warnButton: ({ label }: { label: string }) => ({ label, accept: true, isGrave: true }),
    cancelButton: ({ label }: { label: string }) => ({ label, accept: false })
  },
  showDialog: async (asked: {
    title: string;
    body: string;
    buttons: Button[];
    defaultButton: number;
  }) => {
    const { title, body, buttons } = asked;
    dialogs.shown.push({
      title,
      body,
      buttons: buttons.map(({ label }) => label),
      default: buttons[asked.defaultButton].label,
      isGrave: buttons.some(({ isGrave }) => isGrave)
    });
    const isYes = dialogs.answers.shift() ?? true;
    return { button: buttons.find(({ accept }) => accept === isYes)! };
  }
};
instead({ '@jupyterlab/apputils': apputils });

/** What the server answers to `METHOD path`: a value, a `Refusal`, one that is `Held`; `null` is no answer at all. */
export type Answers = Record<string, unknown>;

export class Refusal {
  constructor(
    readonly status: number,
    readonly body: Readonly<Record<string, unknown>>
  ) {}
}

/** No, with a message and how to mend it, as the server says it. */
export const refuse = (message: string, hint = '', more: Record<string, unknown> = {}): Refusal =>
  new Refusal(409, { code: 'refused', message, hint, ...more });

/** An answer that does not come before `release` is called. */
export class Held {
  private _release: () => void = () => undefined;
  readonly released = new Promise<void>(resolve => (this._release = resolve));
  constructor(readonly answer: unknown) {}
  release(): void {
    this._release();
  }
}
