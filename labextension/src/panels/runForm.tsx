/** The form that starts a run, of a pipeline or of a single notebook. */
import { type ReactElement, useState } from 'react';
import { ApiError } from '../api';
import { Form } from '../components/form';
import type { IContext } from '../tokens';
import type { Parameter, Problem, RunOptions, RunSummary } from '../types';
import { AT_FIRST, QueueFields, queueOptions } from './queueFields';

/** In the sidebar, below the pipeline that it runs. */
export function PipelineForm(props: {
  context: IContext;
  path: string;
  name: string;
  parameters: readonly Parameter[];
  onClose: () => void;
}): ReactElement {
  const { context, path } = props;
  return (
    <StartForm
      context={context}
      parameters={props.parameters}
      start={(texts, isForced, options) =>
        context.api.startRun(path, texts, isForced ? { force: 'all', ...options } : options)
      }
      onStarted={run => {
        props.onClose();
        context.open('run', { runId: run.run_id, title: props.name });
      }}
      onCancel={props.onClose}
    />
  );
}

/** A form, the request that it sends, and what the server says against it. */
export function StartForm(props: {
  context: IContext;
  parameters: readonly Parameter[];
  isForceOffered?: boolean;
  start: (
    texts: Record<string, string>,
    isForced: boolean,
    options: Partial<RunOptions>
  ) => Promise<RunSummary>;
  onStarted: (run: RunSummary) => void;
  onCancel?: () => void;
}): ReactElement {
  const { trans, model } = props.context;
  const [isBusy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [error, setError] = useState('');
  const [queue, setQueue] = useState(AT_FIRST);

  const submit = async (texts: Record<string, string>, isForced: boolean): Promise<void> => {
    setBusy(true);
    setProblems([]);
    setError('');
    try {
      const run = await props.start(texts, isForced, queueOptions(queue));
      props.onStarted(run);
    } catch (reason) {
      model.failed(reason);
      setProblems(reason instanceof ApiError ? reason.problems : []);
      setError(said(reason));
      setBusy(false);
    }
  };

  return (
    <Form
      parameters={props.parameters}
      problems={problems}
      error={error}
      isBusy={isBusy}
      labels={{
        submit: isBusy ? trans.__('Checking…') : trans.__('Run'),
        force:
          props.isForceOffered === false ? '' : trans.__('Run everything, whatever the cache has'),
        none: trans.__('It has no parameters.'),
        cancel: trans.__('Cancel')
      }}
      onSubmit={(texts, isForced) => void submit(texts, isForced)}
      onCancel={props.onCancel}
    >
      <QueueFields context={props.context} texts={queue} onChange={setQueue} />
    </Form>
  );
}

function said(reason: unknown): string {
  if (reason instanceof ApiError && reason.hint) {
    return `${reason.message}; ${reason.hint}`;
  }
  return reason instanceof Error ? reason.message : String(reason);
}
