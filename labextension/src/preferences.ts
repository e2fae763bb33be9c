/** What a user has chosen in JupyterLab's settings of the panel, as it is now. */
import { type ISignal, Signal } from '@lumino/signaling';

export interface IPreferences {
  /** The section that is shown at first. */
  readonly section: string;
  /** How many rows a list shows at a time. */
  readonly pageSize: number;
  readonly showCosts: boolean;
}

const AT_FIRST: IPreferences = { section: 'pipelines', pageSize: 50, showCosts: true };

export class Preferences {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get value(): IPreferences {
    return this._value;
  }

  /** Take over what the settings say; what they do not say is as at first. */
  read(composite: Readonly<Record<string, unknown>>): void {
    const given = Object.entries(composite).filter(
      ([name, value]) => typeof value === typeof AT_FIRST[name as keyof IPreferences]
    );
    this._value = { ...AT_FIRST, ...Object.fromEntries(given) };
    this._changed.emit();
  }

  private _value = AT_FIRST;
  private readonly _changed = new Signal<this, void>(this);
}
