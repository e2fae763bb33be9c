/** What a task's cells write. While it runs the log grows; it is asked for only while it is looked at. */
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { Ansi } from '../components/ansi';
import type { IContext } from '../tokens';

const MOST = 400_000; // characters that are kept; beyond, the beginning goes

export function TaskLog(props: { context: IContext; runId: string; task: string }): ReactElement {
  const { context, runId, task } = props;
  const { api, model, trans } = context;
  const [text, setText] = useState('');
  const [isComplete, setComplete] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    let offset = 0;
    let attempt = 0;
    const read = async (): Promise<void> => {
      let isDone = false;
      try {
        const log = await api.log(runId, task, offset);
        if (isGone) {
          return;
        }
        if (log.attempt !== attempt && offset) {
          setText(''); // another attempt has begun: its log begins anew
          attempt = log.attempt;
          offset = 0;
        } else {
          attempt = log.attempt;
          offset = log.offset;
          isDone = log.is_complete;
          log.text && setText(before => (before + log.text).slice(-MOST));
        }
      } catch (error) {
        model.failed(error);
      }
      if (!isGone && !isDone) {
        timer = setTimeout(() => void read(), 1000);
      }
      setComplete(isDone);
    };
    void read();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [api, runId, task]);

  useEffect(() => {
    if (box.current && isAtEnd.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);

  if (!text) {
    return (
      <div className="jp-mlops-muted">
        {isComplete ? trans.__('It wrote nothing.') : trans.__('Nothing is written yet.')}
      </div>
    );
  }
  return (
    <pre
      className="jp-mlops-Log"
      ref={box}
      tabIndex={0}
      aria-label={trans.__('Log of %1', task)}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight > scrollHeight - 30;
      }}
    >
      <Ansi text={text} />
    </pre>
  );
}
