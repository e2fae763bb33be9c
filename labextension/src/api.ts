/**
 * The server's REST interface. The only file that knows its URLs.
 *
 * Every answer is typed by the server's OpenAPI document (`schema.ts`). What goes wrong becomes an `ApiError` with the
 * server's message and hint, or a `Disconnected` when no answer came at all.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { trans } from './language';
import type * as t from './types';

/** The server answered, and said no. `problems` tell which argument or which line of the pipeline is meant. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string = '',
    readonly problems: readonly t.Problem[] = []
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** No answer: the server is down, or the way to it is. */
export class Disconnected extends Error {
  constructor() {
    super(trans.__('the server does not answer'));
    this.name = 'Disconnected';
  }
}

/** Sends a request; `ServerConnection.makeRequest`, or what a test puts in its place. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

type Query = Readonly<Record<string, string | number | undefined>>;

export class Api {
  constructor(
    private readonly _base: string,
    private readonly _send: Send
  ) {}

  /** The client that talks to the server JupyterLab came from. */
  static of(settings: ServerConnection.ISettings): Api {
    return new Api(settings.baseUrl, (url, init) =>
      ServerConnection.makeRequest(url, init, settings)
    );
  }

  status = () => this._get<t.Status>(['status']);

  pipelines = (query: { search?: string; limit?: number; offset?: number } = {}) =>
    this._get<t.PipelineList>(['pipelines'], query);
  pipeline = (path: string, direction: t.Direction = 'right') =>
    this._get<t.Pipeline>(['pipelines', ...path.split('/')], { direction });
  savePipeline = (path: string, text: string, digest: string | null) =>
    this._put<t.Pipeline>(['pipelines', ...path.split('/')], { text, digest });
  check = (path: string, text: string, direction: t.Direction = 'right') =>
    this._post<t.Pipeline>(['check'], { path, text }, { direction });

  runs = (query: t.RunsQuery = {}) => this._get<t.IPage<t.RunSummary>>(['runs'], { ...query });
  run = (runId: string, direction: t.Direction = 'right') =>
    this._get<t.Run>(['runs', runId], { direction });
  startRun = (path: string, args: Record<string, string>, options: Partial<t.RunOptions> = {}) =>
    this._post<t.RunSummary>(['runs'], { path, arguments: args, options });
  cancel = (runId: string) => this._post<t.RunSummary>(['runs', runId, 'cancel']);
  resume = (runId: string) => this._post<t.RunSummary>(['runs', runId, 'resume']);
  rerun = (runId: string, fromFailed: boolean) =>
    this._post<t.RunSummary>(['runs', runId, 'rerun'], { from_failed: fromFailed });
  task = (runId: string, task: string) => this._get<t.TaskDetail>(['runs', runId, 'tasks', task]);
  log = (runId: string, task: string, offset: number) =>
    this._get<t.Log>(['runs', runId, 'tasks', task, 'log'], { offset });
  compareRuns = (left: string, right: string, task?: string) =>
    this._get<t.RunComparison>(['compare'], { left, right, task });

  notebookParameters = (path: string) =>
    this._get<t.NotebookParameters>(['notebooks', ...path.split('/'), 'parameters']);
  runNotebook = (path: string, args: Record<string, string>, options: Partial<t.RunOptions> = {}) =>
    this._post<t.RunSummary>(['notebooks', ...path.split('/'), 'run'], {
      arguments: args,
      options
    });

  schedules = () => this._get<t.ScheduleList>(['schedules']);
  schedule = (name: string) => this._get<t.ScheduleDetail>(['schedules', name]);
  addSchedule = (asked: Partial<t.ScheduleRequest> & { path: string }) =>
    this._post<t.ScheduleList>(['schedules'], asked);
  pauseSchedule = (name: string) => this._post<t.Schedule>(['schedules', name, 'pause']);
  resumeSchedule = (name: string) => this._post<t.Schedule>(['schedules', name, 'resume']);
  removeSchedule = (name: string) => this._request<void>('DELETE', ['schedules', name], {});
  previewCron = (expression: string, timezone: string, count: number) =>
    this._get<t.CronPreview>(['cron'], { expression, timezone, count });

  models = (query: { search?: string; limit?: number; offset?: number } = {}) =>
    this._get<t.IPage<t.ModelSummary>>(['models'], query);
  modelDetail = (name: string, query: { limit?: number; offset?: number } = {}) =>
    this._get<t.ModelDetail>(['models', name], query);
  modelVersion = (name: string, version: number) =>
    this._get<t.ModelVersion>(['models', name, 'versions', String(version)]);
  compareModels = (name: string, versions: readonly number[]) =>
    this._get<t.ModelComparison>(['models', name, 'compare'], { versions: versions.join(',') });
  setAlias = (name: string, alias: string, version: number, force: boolean) =>
    this._put<t.Alias>(['models', name, 'aliases', alias], { version, force });
  deleteAlias = (name: string, alias: string, force: boolean) =>
    this._request<void>('DELETE', ['models', name, 'aliases', alias], { force: String(force) });

  features = () => this._get<t.FeatureList>(['features']);
  featureView = (name: string) => this._get<t.FeatureViewDetail>(['features', name]);
  previewFeatures = (name: string, limit: number) =>
    this._get<t.Preview>(['features', name, 'preview'], { limit });

  deployments = () => this._get<t.DeploymentList>(['deployments']);
  deployment = (name: string) => this._get<t.DeploymentDetail>(['deployments', name]);
  deploy = (asked: Partial<t.DeployRequest> & { model: string }) =>
    this._post<t.Deployment>(['deployments'], asked);
  planDeployment = (asked: Partial<t.DeployRequest> & { model: string }) =>
    this._post<t.DeploymentPlan>(['deployment-plan'], asked);
  rollback = (name: string, to: number | null) =>
    this._post<t.Deployment>(['deployments', name, 'rollback'], { to });
  stopDeployment = (name: string) => this._post<t.Deployment>(['deployments', name, 'stop']);
  startDeployment = (name: string) => this._post<t.Deployment>(['deployments', name, 'start']);
  removeDeployment = (name: string) => this._request<void>('DELETE', ['deployments', name], {});
  images = (query: { limit?: number; offset?: number } = {}) =>
    this._get<t.IPage<t.Image>>(['images'], query);

  compute = () => this._get<t.Compute>(['compute']);
  units = () => this._get<t.ComputeUnitList>(['units']);
  runCost = (runId: string) => this._get<t.Estimate>(['runs', runId, 'cost']);
  modelCost = (name: string, version: number) =>
    this._get<t.Estimate>(['models', name, 'versions', String(version), 'cost']);
  pipelineCost = (path: string, runsAMonth?: number) =>
    this._get<t.Estimate>(['pipelines', ...path.split('/'), 'cost'], { runs_a_month: runsAMonth });

  queue = () => this._get<t.QueueList>(['queue']);
  changeQueueEntry = (runId: string, change: t.QueueChange) =>
    this._post<t.QueueEntry>(['queue', runId], change);
  quotas = () => this._get<t.Quotas>(['quotas']);

  dockerize = (asked: Partial<t.DockerizeRequest> & { target: string }) =>
    this._post<t.Dockerized>(['dockerize'], asked);
  environments = (path: string) =>
    this._get<t.EnvironmentList>(['pipelines', ...path.split('/'), 'environments']);
  exportPipeline = (asked: Partial<t.ExportRequest> & Pick<t.ExportRequest, 'path' | 'target'>) =>
    this._post<t.Exported>(['export'], asked);

  /** The page that shows an executed notebook: may be handed on to whoever may use this server. */
  viewUrl(runId: string, task: string): string {
    return URLExt.join(
      this._base,
      'mlops',
      'view',
      encodeURIComponent(runId),
      encodeURIComponent(task)
    );
  }

  private _get<T>(path: readonly string[], query: Query = {}): Promise<T> {
    return this._request<T>('GET', path, query);
  }

  private _post<T>(path: readonly string[], body: unknown = {}, query: Query = {}): Promise<T> {
    return this._request<T>('POST', path, query, body);
  }

  private _put<T>(path: readonly string[], body: unknown): Promise<T> {
    return this._request<T>('PUT', path, {}, body);
  }

  private async _request<T>(
    method: string,
    path: readonly string[],
    query: Query,
    body?: unknown
  ): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const search = new URLSearchParams(
      given.map(([name, value]) => [name, String(value)])
    ).toString();
    const place = path.map(encodeURIComponent);
    const url = URLExt.join(this._base, 'mlops', 'api', ...place) + (search ? `?${search}` : '');
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await this._send(url, init);
    } catch {
      throw new Disconnected();
    }
    const text = await response.text();
    if (!response.ok) {
      throw refusal(response.status, text);
    }
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** The error that an answer tells. A page that is not ours (a proxy's, a missing route's) tells only its status. */
export function refusal(status: number, text: string): Error {
  if (status === 502 || status === 503 || status === 504) {
    return new Disconnected();
  }
  try {
    const said = JSON.parse(text);
    if (said && typeof said.code === 'string' && typeof said.message === 'string') {
      return new ApiError(status, said.code, said.message, said.hint ?? '', said.problems ?? []);
    }
  } catch {
    // not JSON: told below
  }
  return new ApiError(status, 'http', trans.__('the server answered %1', status));
}
