/**
 * One thing that is fetched and kept fresh: at most one request under way, and one more when it rang meanwhile.
 */
import { type ISignal, Signal } from '@lumino/signaling';
import type { Model, Ring } from './model';

export class Query<T> {
  constructor(
    private readonly _model: Model,
    private readonly _fetch: () => Promise<T>,
    private readonly _concerns: (ring: Ring) => boolean = () => true
  ) {
    _model.rang.connect(this._onRing, this);
    void this.refresh();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The last answer; it stays while a newer one is fetched or cannot be had. */
  get value(): T | undefined {
    return this._value;
  }

  /** Why the last request failed; `null` when it did not. */
  get error(): Error | null {
    return this._error;
  }

  /** Fetch; when a fetch is under way, once more after it. */
  async refresh(): Promise<void> {
    if (this._isFetching) {
      this._isStale = true;
      return;
    }
    this._isFetching = true;
    do {
      this._isStale = false;
      try {
        const value = await this._fetch();
        this._value = value;
        this._error = null;
      } catch (error) {
        this._error = error instanceof Error ? error : new Error(String(error));
        this._model.failed(error);
      }
      if (this._isDisposed) {
        return;
      }
      this._changed.emit();
    } while (this._isStale);
    this._isFetching = false;
  }

  dispose(): void {
    this._isDisposed = true;
    this._model.rang.disconnect(this._onRing, this);
    Signal.clearData(this);
  }

  private _onRing(_: unknown, ring: Ring): void {
    if (ring === null || this._concerns(ring)) {
      void this.refresh();
    }
  }

  private _value: T | undefined;
  private _error: Error | null = null;
  private _isFetching = false;
  private _isStale = false;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
