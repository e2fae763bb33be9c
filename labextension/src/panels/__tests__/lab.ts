/**
 * JupyterLab's own widgets, which need a browser, replaced by what the panel uses of them. Import it before the panel.
 */
import Module from 'node:module';
import { createElement, type ReactElement } from 'react';

class LabIcon {
  readonly name: string;
  readonly react: (props: { className?: string }) => ReactElement;

  constructor({ name }: { name: string }) {
    this.name = name;
    this.react = ({ className }) => createElement('span', { className, 'data-icon': name });
  }
}

/** A widget that only knows what it shows. */
class ReactWidget {
  static create(element: ReactElement): ReactWidget {
    return new ReactWidget(element);
  }

  constructor(readonly element: ReactElement) {}

  addClass(name: string): void {
    this.classes.push(name);
  }

  id = '';
  readonly title: Record<string, unknown> = {};
  readonly classes: string[] = [];
  readonly attributes: Record<string, string> = {};
  readonly node = {
    setAttribute: (name: string, value: string) => void (this.attributes[name] = value)
  };
}

function TextItem(props: {
  source: string;
  title: string;
  className: string;
  onClick: () => void;
}): ReactElement {
  const { source, ...rest } = props;
  return createElement('span', rest, source);
}

const REPLACED: Readonly<Record<string, unknown>> = {
  '@jupyterlab/ui-components': { LabIcon, ReactWidget },
  '@jupyterlab/statusbar': { TextItem },
  '@jupyterlab/apputils': { ReactWidget }
};

const loader = Module as unknown as { _load: (name: string, ...more: unknown[]) => unknown };
const load = loader._load;
loader._load = (name, ...more) => REPLACED[name] ?? load(name, ...more);
