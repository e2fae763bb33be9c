/**
 * The visual editor of a pipeline: a picture to draw in, a form beside it, the document's text below both.
 *
 * The text is the truth. Each gesture is an operation on it (`operations.ts`), put into the document's shared text; what
 * is shown is read from there, so that an undo, another editor or another person changes the picture as well.
 */
import { type ReactElement, useEffect, useMemo, useState } from 'react';

import type { IContext } from '../tokens';
import { Canvas, type Selection } from './canvas';
import { useCheck, useNotebook } from './checks';
import { ConnectForm, EdgeForm } from './edgeForm';
import * as operations from './operations';
import { connections, outline } from './outline';
import { EditError } from './places';
import { PipelineForm } from './pipelineForm';
import { grouped, placeAll, useKnown, useRead, useText } from './reading';
import { type ISharedText, update } from './shared';
import { type Edit, TaskForm } from './taskForm';
import { Toolbar } from './toolbar';

export interface IEditor {
  context: IContext;
  shared: ISharedText;
  /** Of the document, from the server's root. */
  path: string;
  isReadOnly: boolean;
  /** Calls back with the paths of notebooks that were dropped or chosen, relative to the document. */
  dropped: { connect: (slot: (paths: string[]) => void) => () => void };
  onAdd: () => void;
  onOpenText: () => void;
  onRun: () => void;
  /** Let a schedule of the file fire as it is written there. */
  onActivate: (schedule: string) => void;
}

/** See the module. */
export function Editor(props: IEditor): ReactElement {
  const { context, shared, isReadOnly } = props;
  const { trans } = context;
  const text = useText(shared);
  const checked = useCheck(context.api, props.path, text);
  const [selection, setSelection] = useState<Selection>(null);
  const [drawn, setDrawn] = useState<{ source: string; target: string } | null>(null);
  const [complaint, setComplaint] = useState('');
  const { pipeline, error } = useRead(text);
  const placed = useMemo(
    () => placeAll(text, checked.pipeline?.problems ?? []),
    [text, checked.pipeline]
  );
  const tasks = useMemo(() => new Map(pipeline.tasks.map(task => [task.name, task])), [pipeline]);
  const byTask = useMemo(() => grouped(placed, tasks), [placed, tasks]);
  const task = selection && 'task' in selection ? tasks.get(selection.task) : undefined;
  const target = drawn ? drawn.target : task?.name;
  const notebook =
    checked.pipeline?.tasks.find(({ name }) => name === target)?.notebook_path ?? null;
  const parameters = useNotebook(context.api, notebook, checked.pipeline);

  const edit: Edit = change => {
    try {
      update(shared, change(shared.getSource()));
      setComplaint('');
      return true;
    } catch (thrown) {
      if (!(thrown instanceof EditError)) {
        throw thrown;
      }
      setComplaint(thrown.message);
      return false;
    }
  };
  useEffect(
    () =>
      props.dropped.connect(paths => {
        let last = '';
        edit(source =>
          paths.reduce((made, path) => {
            last = operations.freeName(outline(made), path);
            return operations.addTask(made, last, path);
          }, source)
        );
        setSelection(last ? { task: last } : null);
      }),
    [props.dropped]
  );
  const remove = (what: Selection): void => {
    if (what && 'task' in what) {
      edit(source => operations.removeTask(source, what.task));
    } else if (what) {
      edit(source => operations.disconnect(source, what.source, what.target));
    }
    setSelection(null);
  };
  const select = (what: Selection): void => {
    setSelection(what);
    setDrawn(null);
    setComplaint('');
  };
  const connect = (source: string, to: string): void => {
    const isFine = edit(before => {
      operations.connect(before, source, to); // refuses a circle before anything is asked
      return before;
    });
    if (isFine) {
      setDrawn({ source, target: to });
      setSelection({ source, target: to });
    }
  };
  const openNotebook = (name: string): void => {
    const path = checked.pipeline?.tasks.find(one => one.name === name)?.notebook_path;
    if (path) {
      context.openFile(path);
    }
  };
  const edge =
    selection && 'source' in selection
      ? connections(pipeline).find(
          one => one.source === selection.source && one.target === selection.target
        )
      : undefined;
  const graph = useKnown(checked.graph, tasks);
  const isBlind = error !== '';
  const locked = isReadOnly || isBlind;
  return (
    <div
      className="jp-mlops-Editor"
      onKeyDown={event => {
        const isTyping = (event.target as HTMLElement).closest('input, textarea, select') !== null;
        if (!isTyping && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
          event.preventDefault();
          event.stopPropagation();
          event.shiftKey ? shared.redo() : shared.undo();
        }
      }}
    >
      <Toolbar
        trans={trans}
        shared={shared}
        text={text}
        problems={placed}
        isFresh={checked.isFresh}
        isReadOnly={locked}
        onAdd={props.onAdd}
        onOpenText={props.onOpenText}
        onRun={props.onRun}
        onProblem={problem =>
          select(problem.task && tasks.has(problem.task) ? { task: problem.task } : null)
        }
      />
      {(isBlind || complaint || checked.error) && (
        <div className="jp-mlops-Editor-complaint" role="alert">
          {isBlind ? error : complaint || trans.__('Not checked: %1', checked.error?.message ?? '')}
          {isBlind && (
            <button className="jp-mlops-Button jp-mod-quiet" onClick={props.onOpenText}>
              {trans.__('Open the text')}
            </button>
          )}
        </div>
      )}
      <div className="jp-mlops-Editor-body">
        <div className={`jp-mlops-Editor-picture${isBlind ? ' jp-mod-stale' : ''}`}>
          {graph && (
            <Canvas
              graph={graph}
              tasks={tasks}
              problems={byTask}
              selection={selection}
              isReadOnly={locked}
              trans={trans}
              onSelect={select}
              onConnect={connect}
              onRemove={remove}
              onOpen={openNotebook}
            />
          )}
          {!isBlind && pipeline.tasks.length === 0 && (
            <div className="jp-mlops-Editor-empty">
              <strong>{trans.__('No tasks yet')}</strong>
              <span>{trans.__('Drop notebooks here from the file browser.')}</span>
            </div>
          )}
        </div>
        <aside className="jp-mlops-Editor-side">
          {drawn ? (
            <ConnectForm
              key={`${drawn.source}\n${drawn.target}\n${parameters.length}`}
              pipeline={pipeline}
              source={drawn.source}
              target={drawn.target}
              parameters={parameters}
              trans={trans}
              onCancel={() => setDrawn(null)}
              onConnect={given => {
                edit(source => operations.connect(source, drawn.source, drawn.target, given));
                setDrawn(null);
              }}
            />
          ) : task ? (
            <TaskForm
              key={task.name}
              pipeline={pipeline}
              task={task}
              parameters={parameters}
              problems={placed.filter(problem => problem.task === task.name)}
              isReadOnly={locked}
              trans={trans}
              edit={edit}
              onRename={to =>
                edit(source => operations.renameTask(source, task.name, to)) &&
                setSelection({ task: to })
              }
              onRemove={() => remove({ task: task.name })}
              onOpen={() => openNotebook(task.name)}
            />
          ) : edge ? (
            <EdgeForm
              connection={edge}
              isReadOnly={locked}
              trans={trans}
              onRemove={() => remove(edge)}
            />
          ) : (
            <PipelineForm
              context={context}
              pipeline={pipeline}
              problems={placed.filter(problem => !tasks.has(problem.task))}
              isReadOnly={locked}
              trans={trans}
              edit={edit}
              onActivate={props.onActivate}
            />
          )}
        </aside>
      </div>
    </div>
  );
}
