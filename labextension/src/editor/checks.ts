/** What the server says about the text: the picture, and what is wrong. */
import { useEffect, useRef, useState } from 'react';

import type { Api } from '../api';
import type { Graph, Parameter, Pipeline } from '../types';

const REST_MS = 120;

export interface IChecked {
  /** The last answer; that of an older text until the newer one is checked. */
  pipeline: Pipeline | null;
  /** The picture of the last text that had one. */
  graph: Graph | null;
  error: Error | null;
  isFresh: boolean;
}

/** Checks a text once it rests; answers that come late are dropped. */
export function useCheck(api: Api, path: string, text: string | null): IChecked {
  const [checked, setChecked] = useState<IChecked>({
    pipeline: null,
    graph: null,
    error: null,
    isFresh: false
  });
  const turn = useRef(0);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (text === null) {
      return;
    }
    const mine = ++turn.current;
    setChecked(before => ({ ...before, isFresh: false }));
    let again = 0;
    const timer = window.setTimeout(
      () => {
        api.check(path, text).then(
          pipeline => {
            if (mine === turn.current) {
              setChecked(before => ({
                pipeline,
                graph:
                  pipeline.graph.nodes.length > 0 || pipeline.problems.length === 0
                    ? pipeline.graph
                    : before.graph,
                error: null,
                isFresh: true
              }));
            }
          },
          (error: Error) => {
            if (mine === turn.current) {
              setChecked(before => ({ ...before, error }));
              again = window.setTimeout(() => setAttempt(count => count + 1), 3000);
            }
          }
        );
      },
      turn.current === 1 ? 0 : REST_MS
    );
    return () => {
      window.clearTimeout(timer);
      window.clearTimeout(again);
    };
  }, [api, path, text, attempt]);
  return checked;
}

/** What a notebook takes; asked once for each path, and again when `version` changes. */
export function useNotebook(api: Api, path: string | null, version: unknown): readonly Parameter[] {
  const [known, setKnown] = useState<{ path: string | null; parameters: readonly Parameter[] }>({
    path: null,
    parameters: []
  });
  useEffect(() => {
    let isWanted = true;
    if (path) {
      api.notebookParameters(path).then(
        ({ parameters }) => isWanted && setKnown({ path, parameters }),
        // That it is missing or cannot be read is told by the check.
        () => isWanted && setKnown({ path, parameters: [] })
      );
    }
    return () => {
      isWanted = false;
    };
  }, [api, path, version]);
  return known.path === path ? known.parameters : [];
}
