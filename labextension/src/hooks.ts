/** The bridge from the model's signals to React. */
import { type RefCallback, useCallback, useEffect, useReducer, useRef, useState } from 'react';
import type { Connection, Model, Ring } from './model';
import type { IPreferences, Preferences } from './preferences';
import { Query } from './query';

export interface IQueryView<T> {
  /** `undefined` until the first answer. */
  readonly value: T | undefined;
  readonly error: Error | null;
  readonly refresh: () => void;
}

/**
 * Fetch something and keep it fresh while the component is mounted.
 *
 * `key` says what is fetched: when it changes, the old answer stays until the new one is there. `kinds` are the kinds
 * of change that concern it; all of them when none is given.
 */
export function useQuery<T>(
  model: Model,
  key: readonly unknown[],
  fetch: () => Promise<T>,
  kinds: readonly string[] = [],
  runId = ''
): IQueryView<T> {
  const [view, setView] = useState<{ value: T | undefined; error: Error | null }>({
    value: undefined,
    error: null
  });
  const query = useRef<Query<T> | null>(null);
  useEffect(() => {
    const concerns = (ring: Ring): boolean =>
      ring === null ||
      ((!kinds.length || ring.kinds.some(kind => kinds.includes(kind))) &&
        (!runId || !ring.runIds.length || ring.runIds.includes(runId)));
    const current = new Query(model, fetch, concerns);
    query.current = current;
    current.changed.connect(() =>
      setView(before => ({ value: current.value ?? before.value, error: current.error }))
    );
    return () => current.dispose();
    // `fetch` and `kinds` are written inline by callers; what they depend on is `key`
  }, [model, JSON.stringify(key)]);
  const refresh = useCallback(() => void query.current?.refresh(), []);
  return { ...view, refresh };
}

/** The model's connection, as it changes. */
export function useConnection(model: Model): Connection {
  const [connection, setConnection] = useState(model.connection);
  useEffect(() => {
    const update = (): void => setConnection(model.connection);
    model.stateChanged.connect(update);
    update();
    return () => void model.stateChanged.disconnect(update);
  }, [model]);
  return connection;
}

/** What the user has chosen in the settings, as it changes. */
export function usePreferences(preferences: Preferences): IPreferences {
  const [value, setValue] = useState(preferences.value);
  useEffect(() => {
    const update = (): void => setValue(preferences.value);
    preferences.changed.connect(update);
    update();
    return () => void preferences.changed.disconnect(update);
  }, [preferences]);
  return value;
}

/** The time, every second while `isLive`: durations of what is running grow. */
export function useNow(isLive: boolean): number {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isLive) {
      return;
    }
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [isLive]);
  return Date.now();
}

/**
 * How many of `total` things to draw by now: a few at once, some more with every frame, so that the page answers
 * meanwhile. What is drawn stays drawn.
 */
export function useGrowing(total: number, step = 100): number {
  const [shown, setShown] = useState(step);
  useEffect(() => {
    if (shown < total) {
      const frame = requestAnimationFrame(() => setShown(shown + step));
      return () => cancelAnimationFrame(frame);
    }
    return undefined;
  }, [shown, total, step]);
  return Math.min(shown, total);
}

/** How wide an element is, as that changes; 0 while it is hidden. */
export function useWidth(): [RefCallback<HTMLElement>, number] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (element) {
      setWidth(element.clientWidth);
      observer.current = new ResizeObserver(() => setWidth(element.clientWidth));
      observer.current.observe(element);
    }
  }, []);
  return [ref, width];
}

/** A value that follows another once it has rested: a search is not sent for every key. */
export function useRested<T>(value: T, milliseconds = 250): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return rested;
}
