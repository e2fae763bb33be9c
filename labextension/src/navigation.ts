/** Where the sidebar panel stands: which section is shown, and which pipeline is unfolded in it. */
import { type ISignal, Signal } from '@lumino/signaling';

export class Navigation {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get section(): string {
    return this._section;
  }

  /** The pipeline that is unfolded: its path, or ''. */
  get pipeline(): string {
    return this._pipeline;
  }

  /** The unfolded pipeline shows its form. */
  get isFormOpen(): boolean {
    return this._isFormOpen;
  }

  /** The section to begin with; once somebody has chosen one, that stays. */
  beginWith(id: string): void {
    if (!this._isChosen && id !== this._section) {
      this._section = id;
      this._changed.emit();
    }
  }

  showSection(id: string): void {
    this._isChosen = true;
    this._section = id;
    this._changed.emit();
  }

  showPipeline(path: string, isFormOpen = false): void {
    this._isChosen = true;
    this._section = 'pipelines';
    this._pipeline = path;
    this._isFormOpen = isFormOpen;
    this._changed.emit();
  }

  private _section = 'pipelines';
  private _pipeline = '';
  private _isFormOpen = false;
  private _isChosen = false;
  private readonly _changed = new Signal<this, void>(this);
}
