// The operations API of a server: for backends, operators and their tools, not for browsers.
export type {
  ConnectionInfo,
  CreateTenantRequest,
  CreateTenantResponse,
  DeleteTenantRequest,
  DeleteTenantResponse,
  DisconnectRequest,
  DisconnectResponse,
  GetTenantRequest,
  GetTenantResponse,
  ListConnectionsRequest,
  ListConnectionsResponse,
  ListTenantsRequest,
  ListTenantsResponse,
  PublishBatchRequest,
  PublishBatchResponse,
  PublishOutcome,
  PublishRequest,
  PublishResponse,
  ResumeTenantRequest,
  ResumeTenantResponse,
  SuspendTenantRequest,
  SuspendTenantResponse,
  Tenant,
  TenantLimits,
  UpdateTenantRequest,
  UpdateTenantResponse,
  WholeTenant,
} from "./gen/pm/v1/ops_pb.ts";
export { OpsService, TenantSetting, TenantState } from "./gen/pm/v1/ops_pb.ts";
export type { Error as ErrorMessage } from "./gen/pm/v1/server_pb.ts";
export { ErrorSchema as ErrorMessageSchema } from "./gen/pm/v1/server_pb.ts";
