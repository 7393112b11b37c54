import type {
  DashboardInfo as ApiDashboardInfo,
  DashboardInput as ApiDashboardInput,
  HomeDashboardInfo as ApiHomeDashboardInfo,
} from '@moorage/api-types';
import type { Dashboard, DashboardInfo, DashboardInput, HomeDashboard } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';
import { rawMember } from './raw-members.ts';

/** thingsboard-server.md, 2.9 */
export function toDashboardInfo(dashboard: DashboardInfo): ApiDashboardInfo {
  const { title, image, mobileHide, mobileOrder, version } = dashboard;
  return {
    id: entityId('DASHBOARD', dashboard.id),
    createdTime: dashboard.createdTime,
    tenantId: entityId('TENANT', dashboard.tenantId),
    title,
    name: title,
    image,
    assignedCustomers: dashboard.assignedCustomers.map((customer) => ({
      customerId: entityId('CUSTOMER', customer.customerId),
      title: customer.title,
      public: customer.isPublic,
    })),
    mobileHide,
    mobileOrder,
    externalId: null,
    version,
  };
}

/** By hand, since the configuration is a JSON text that stays as it is. `more` are members beside those of a dashboard. */
export function dashboardJson(dashboard: Dashboard, more: { readonly hideDashboardToolbar?: boolean } = {}): string {
  const members = JSON.stringify({ ...toDashboardInfo(dashboard), ...more });
  return `${members.slice(0, -1)},"configuration":${dashboard.configuration ?? 'null'}}`;
}

export function toHomeDashboardInfo({ dashboardId, hideToolbar }: HomeDashboard): ApiHomeDashboardInfo {
  return { dashboardId: entityId('DASHBOARD', dashboardId), hideDashboardToolbar: hideToolbar };
}

/** `text`: the body as it was sent. */
export function fromDashboardInput(input: ApiDashboardInput, text: string): DashboardInput {
  const { configuration } = input;
  return {
    id: inputId(input.id),
    title: input.title,
    image: input.image ?? null,
    mobileHide: input.mobileHide ?? false,
    mobileOrder: input.mobileOrder ?? null,
    ...(configuration === undefined
      ? {}
      : { configuration: configuration === null ? null : (rawMember(text, 'configuration') ?? null) }),
    version: input.version ?? null,
  };
}
