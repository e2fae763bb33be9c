/** Names for what the server sends. `schema.ts` is made from its OpenAPI document by `jlpm types`. */
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type State = Schemas['State'];
export type Direction = Schemas['Direction'];
export type Problem = Schemas['Problem'];
export type Parameter = Schemas['Parameter'];
export type Graph = Schemas['Graph'];
export type GraphNode = Schemas['GraphNode'];
export type GraphEdge = Schemas['GraphEdge'];
export type Status = Schemas['Status'];
export type PipelineList = Schemas['PipelineList'];
export type PipelineSummary = Schemas['PipelineSummary'];
export type Pipeline = Schemas['Pipeline'];
export type Task = Schemas['Task'];
export type NotebookParameters = Schemas['NotebookParameters'];
export type RunOptions = Schemas['RunOptions'];
export type RunSummary = Schemas['RunSummary'];
export type Run = Schemas['Run'];
export type TaskRun = Schemas['TaskRun'];
export type TaskError = Schemas['TaskError'];
export type TaskDetail = Schemas['TaskDetail'];
export type Attempt = Schemas['Attempt'];
export type Artifact = Schemas['Artifact'];
export type Log = Schemas['Log'];
export type RunComparison = Schemas['RunComparison'];
export type ModelSummary = Schemas['ModelSummary'];
export type ModelDetail = Schemas['Model'];
export type ModelVersionSummary = Schemas['ModelVersionSummary'];
export type ModelVersion = Schemas['ModelVersion'];
export type ModelComparison = Schemas['ModelComparison'];
export type Alias = Schemas['Alias'];
export type AliasMove = Schemas['AliasMove'];
export type Envelope = Schemas['Envelope'];
export type Lineage = Schemas['Lineage'];
export type FeatureList = Schemas['FeatureList'];
export type FeatureView = Schemas['FeatureView'];
export type FeatureViewDetail = Schemas['FeatureViewDetail'];
export type FeatureProfile = Schemas['FeatureProfile'];
export type Drift = Schemas['Drift'];
export type Expectation = Schemas['Expectation'];
export type Preview = Schemas['Preview'];
export type Schedule = Schemas['Schedule'];
export type ScheduleList = Schemas['ScheduleList'];
export type ScheduleDetail = Schemas['ScheduleDetail'];
export type ScheduleRequest = Schemas['ScheduleRequest'];
export type Fire = Schemas['Fire'];
export type CronPreview = Schemas['CronPreview'];
export type Deployment = Schemas['Deployment'];
export type DeploymentList = Schemas['DeploymentList'];
export type DeploymentDetail = Schemas['DeploymentDetail'];
export type DeploymentRevision = Schemas['DeploymentRevision'];
export type DeploymentPlan = Schemas['DeploymentPlan'];
export type DeployRequest = Schemas['DeployRequest'];
export type Replica = Schemas['Replica'];
export type Image = Schemas['Image'];
export type Compute = Schemas['Compute'];
export type Unit = Schemas['Unit'];
export type RunningTask = Schemas['RunningTask'];
export type WaitingTask = Schemas['WaitingTask'];
export type RunsQuery = NonNullable<operations['listRuns']['parameters']['query']>;

/** One page of a list. */
export interface IPage<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}
