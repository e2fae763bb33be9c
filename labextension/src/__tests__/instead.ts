/** Modules that Node cannot load, or that a test plays: from now on others are loaded instead of them. */
import Module from 'node:module';

type Load = (name: string, ...more: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load };

export function instead(modules: Readonly<Record<string, unknown>>): void {
  const load = loader._load;
  loader._load = (name, ...more) => modules[name] ?? load(name, ...more);
}
