/** Our icons. Filled shapes only: JupyterLab's themes color `fill`, not `stroke`. */
import { LabIcon } from '@jupyterlab/ui-components';

function icon(name: string, body: string): LabIcon {
  return new LabIcon({
    name: `jupyter-mlops:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16">' +
      `<g class="jp-icon3 jp-icon-selectable" fill="#616161">${body}</g></svg>`
  });
}

/** Three tasks and their edges: the panel itself. */
export const mlopsIcon = icon(
  'panel',
  '<path d="M3.2 5.6a2 2 0 0 0 1.9-1.3h1.5c.9 0 1.3.4 1.6 1.4l.6 2.3-.6 2.3c-.3 1-.7 1.4-1.6 1.4H5.1a2 2 0 1 0 0 1.3h1.5' +
    'c1.6 0 2.5-.8 2.9-2.4l.5-1.9h.8a2.1 2.1 0 1 0 0-1.3h-.8l-.5-1.9C9.1 3.8 8.2 3 6.6 3H5.1a2 2 0 1 0-1.9 2.6z"/>'
);

export const pipelinesIcon = icon(
  'pipelines',
  '<path d="M2 2.5h4a.7.7 0 0 1 .7.7v2.6a.7.7 0 0 1-.7.7H4.7v3.6c0 .4.3.7.7.7h3.9v-1a.7.7 0 0 1 .7-.7h4a.7.7 0 0 1 .7.7' +
    'v2.9a.7.7 0 0 1-.7.7h-4a.7.7 0 0 1-.7-.7v-.6H5.4a2 2 0 0 1-2-2V6.5H2a.7.7 0 0 1-.7-.7V3.2a.7.7 0 0 1 .7-.7z"/>'
);

export const runsIcon = icon(
  'runs',
  '<path d="M8 1.4a6.6 6.6 0 1 1 0 13.2A6.6 6.6 0 0 1 8 1.4zm0 1.3a5.3 5.3 0 1 0 0 10.6A5.3 5.3 0 0 0 8 2.7z"/>' +
    '<path d="M6.5 5.2l4.5 2.8-4.5 2.8z"/>'
);

export const compareIcon = icon(
  'compare',
  '<path d="M1.5 3h5v10h-5zm1.3 1.3v7.4h2.4V4.3zM9.5 3h5v10h-5zm1.3 1.3v7.4h2.4V4.3z"/>' +
    '<path d="M7.350 1.5h1.3v13h-1.3z"/>'
);

export const notebookIcon = icon(
  'notebook',
  '<path d="M3 1.5h9.5a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H3zm1.3 1.3v10.4h7.9V2.8zM2 3.6h1.8v1.2H2zm0 3.8h1.8v1.2H2z' +
    'm0 3.8h1.8v1.2H2z"/><path d="M5.8 4.5h5v1.2h-5zm0 2.6h5v1.2h-5zm0 2.6h3.2v1.2H5.8z"/>'
);

export const playIcon = icon('play', '<path d="M4 2.5l9 5.5-9 5.5z"/>');

/** A box with a lid. */
export const modelsIcon = icon(
  'models',
  '<path d="M8 1.2l6 3v7.600l-6 3-6-3V4.200zm0 1.500L4.300 4.500 8 6.400l3.700-1.900zM3.300 5.600v5.400l4 2V7.600zm9.400 0l-4 2v5.400l4-2z"/>'
);

/** Columns of values. */
export const featuresIcon = icon(
  'features',
  '<path d="M2 2h3.300v12H2zm1.200 1.200v9.600h.9V3.200zM6.400 5h3.300v9H6.400zm1.200 1.200v6.600h.9V6.200zM10.800 8H14v6h-3.200zm1.200 1.200v3.600h.8V9.200z"/>'
);

/** A clock with a hand beyond noon. */
export const schedulesIcon = icon(
  'schedules',
  '<path d="M8 1.400a6.600 6.600 0 1 1 0 13.200A6.600 6.600 0 0 1 8 1.400zm0 1.300a5.300 5.300 0 1 0 0 10.600A5.300 5.300 0 0 0 8 2.700z"/>' +
    '<path d="M7.300 4.300h1.400v3.400l2.300 1.400-.700 1.200-3-1.800z"/>'
);

/** A cloud with an arrow up. */
export const deploymentsIcon = icon(
  'deployments',
  '<path d="M12.700 6.700a4.700 4.700 0 0 0-9-1.300A3.700 3.700 0 0 0 4.500 12.700h2.200v-1.300H4.500a2.400 2.400 0 0 1-.300-4.800l.500-.100.200-.500a3.400 3.400 0 0 1 6.600 1.100v.700h.600a1.900 1.900 0 0 1 .200 3.600H9.300v1.300h2.900a3.200 3.200 0 0 0 .500-6z"/>' +
    '<path d="M8 6.700l2.600 2.700-.900.900L8.650 9.250V14.500h-1.300V9.250l-1.050 1.050-.900-.900z"/>'
);

/** A chip. */
export const computeIcon = icon(
  'compute',
  '<path d="M5 1.500h1.200v1.700h3.600V1.500H11v1.700h1.800V5h1.700v1.200h-1.700v3.600h1.700V11h-1.700v1.800H11v1.700H9.800v-1.700H6.200v1.700H5v-1.700H3.200V11H1.500V9.800' +
    'h1.700V6.200H1.500V5h1.700V3.200H5zM4.500 4.500v7h7v-7zM6 6h4v4H6z"/>'
);
