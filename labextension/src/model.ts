/**
 * What the panel knows about its server: is it there, and what has changed since.
 *
 * The server's events are a doorbell: they say that something of a kind changed, and carry a number that grows by one.
 * REST is the truth. A gap in the numbers, another server or a connection that comes back rings for everything.
 * A slow look at `/status` finds out what the doorbell missed; it is quick while the server is away.
 *
 * No DOM and no JupyterLab widgets here, so that `node --test` can run it.
 */
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import { ApiError, Disconnected } from './api';
import type { Status } from './types';

export const CHANGE_SCHEMA = 'https://jupyter-mlops.github.io/schemas/change/v1';

/** `missing`: JupyterLab's server does not have our extension. `lost`: it does not answer. */
export type Connection = 'connecting' | 'ready' | 'missing' | 'lost';

/** Something changed: of these kinds, in these runs; `null` means anything may have. */
export interface IChange {
  readonly kinds: readonly string[];
  readonly runIds: readonly string[];
}
export type Ring = IChange | null;

/** An event of jupyter_server's bus; ours have the fields of `CHANGE_SCHEMA`. */
export interface IEvent {
  readonly schema_id: string;
  readonly [key: string]: unknown;
}

const SLOW = { interval: 30_000, backoff: true, max: 120_000 };
const QUICK = { interval: 2_000, backoff: 1.3, max: 10_000 };

export class Model {
  constructor(
    private readonly _fetchStatus: () => Promise<Status>,
    events: ISignal<unknown, IEvent> | null = null,
    standby: Poll.Standby = 'when-hidden'
  ) {
    events?.connect(this._onEvent, this);
    this._poll = new Poll({
      auto: false,
      name: 'jupyter-mlops:status',
      factory: () => this._look(),
      frequency: SLOW,
      standby
    });
    void this._poll.start();
  }

  /** Emitted when `connection` or `status` changes. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emitted when something of the server's has changed. */
  get rang(): ISignal<this, Ring> {
    return this._rang;
  }

  get connection(): Connection {
    return this._connection;
  }

  get status(): Status | null {
    return this._status;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Look now: somebody wants to know, or a request has just failed. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick.catch(() => undefined);
  }

  /** A request went wrong: if it got no answer, find out whether anything does. */
  failed(error: unknown): void {
    if (error instanceof Disconnected && this._connection === 'ready') {
      this._become('lost');
      void this._poll.refresh();
    }
  }

  dispose(): void {
    void this._poll.stop(); // a poll that is disposed keeps its timer
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _look(): Promise<void> {
    let status: Status;
    try {
      status = await this._fetchStatus();
    } catch (error) {
      this._become(error instanceof ApiError && error.status === 404 ? 'missing' : 'lost');
      throw error;
    }
    const isBack = this._connection !== 'ready';
    const isNew = this._status !== null && status.server_id !== this._status.server_id;
    // The doorbell was quiet although there was something to say: its line may be down. Look often until it rings.
    const isDeaf = !isNew && !isBack && status.seq > this._seq;
    this._status = status;
    this._seq = isNew ? status.seq : Math.max(status.seq, this._seq);
    this._become('ready', isDeaf);
    if (isBack || isNew || isDeaf) {
      this._rang.emit(null);
    }
  }

  private _onEvent(_: unknown, event: IEvent): void {
    if (event.schema_id !== CHANGE_SCHEMA || this._status === null) {
      return;
    }
    const seq = Number(event.seq);
    if (event.server_id !== this._status.server_id) {
      void this._poll.refresh(); // another server process: `_look` rings for everything
      return;
    }
    if (seq <= this._seq) {
      return;
    }
    const isNext = seq === this._seq + 1;
    this._seq = seq;
    this._become('ready');
    this._rang.emit(
      isNext ? { kinds: strings(event.kinds), runIds: strings(event.run_ids) } : null
    );
  }

  private _become(connection: Connection, isDeaf = false): void {
    const isQuick = connection === 'lost' || isDeaf;
    if (this._isQuick !== isQuick) {
      this._isQuick = isQuick;
      this._poll.frequency = isQuick ? QUICK : SLOW;
    }
    if (connection === 'missing') {
      void this._poll.stop(); // asking again and again would only fill the server's log; `refresh` starts it
    }
    if (this._connection !== connection) {
      this._connection = connection;
      this._stateChanged.emit();
    }
  }

  private readonly _poll: Poll;
  private _connection: Connection = 'connecting';
  private _status: Status | null = null;
  private _seq = 0;
  private _isQuick = false;
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _rang = new Signal<this, Ring>(this);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
