import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import { flagMember, numberMember, textMember } from '../relations/body-members.ts';
import type { DashboardInfo } from './dashboard-service.ts';

/** Everything of a dashboard that lists show. What it displays is kept apart, so that no list reads it. */
export const DASHBOARDS: DocumentCollection = {
  name: 'dashboard',
  filters: ['mobile'],
  sorts: ['title', 'mobileRank'],
  search: ['title'],
  unique: [],
};

/** Configuration and large picture of the dashboard with the same id. */
export const DASHBOARD_CONTENTS: DocumentCollection = {
  name: 'dashboard_content',
  filters: [],
  sorts: [],
  search: [],
  unique: [],
};

/**
 * One customer that sees one dashboard. Repeats what the lists of a customer are searched and sorted by; `createdTime`
 * is the dashboard's.
 */
export const DASHBOARD_ASSIGNMENTS: DocumentCollection = {
  name: 'dashboard_assignment',
  filters: ['pair', 'customerId', 'dashboardId', 'mobile'],
  sorts: ['title', 'dashboardId', 'mobileRank'],
  search: ['title'],
  unique: [{ scope: 'tenant', members: ['pair'] }],
};

/** Longest picture that lists carry. */
export const LIST_IMAGE_LENGTH = 2048;
/** Behind every order that a client may set. */
const NO_ORDER = Number.MAX_SAFE_INTEGER;

/** A dashboard as its record has it; who sees it is kept apart. */
export type DashboardRecord = Omit<DashboardInfo, 'assignedCustomers'>;

export function dashboardOf({ id, createdTime, tenantId, version, body }: StoredDocument): DashboardRecord {
  return {
    id,
    createdTime,
    tenantId,
    title: textMember(body, 'title') ?? '',
    image: textMember(body, 'image'),
    mobileHide: flagMember(body, 'mobileHide'),
    mobileOrder: numberMember(body, 'mobileOrder'),
    version,
  };
}

export function dashboardDocument(dashboard: DashboardRecord): StoredDocument {
  const { id, createdTime, tenantId, version, mobileHide, mobileOrder } = dashboard;
  const image = isLargeImage(dashboard.image) ? null : dashboard.image;
  const body = { image, mobileHide, mobileOrder, ...listMembers(dashboard) };
  return { id, createdTime, tenantId, version, body };
}

export function isLargeImage(image: string | null): boolean {
  return image !== null && image.length > LIST_IMAGE_LENGTH;
}

export function contentDocument(
  { id, createdTime, tenantId, version, image }: DashboardRecord,
  configuration: string | null,
): StoredDocument {
  const body = { configuration, image: isLargeImage(image) ? image : null };
  return { id, createdTime, tenantId, version, body };
}

export function contentOf(document: StoredDocument | null): {
  readonly configuration: string | null;
  readonly image: string | null;
} {
  if (document === null) return { configuration: null, image: null };
  return {
    configuration: textMember(document.body, 'configuration'),
    image: textMember(document.body, 'image'),
  };
}

/** The members that assignments repeat. */
function listMembers({ title, mobileHide, mobileOrder }: DashboardRecord) {
  return { title, mobile: !mobileHide, mobileRank: mobileOrder ?? NO_ORDER };
}

export function haveSameListMembers(a: DashboardRecord, b: DashboardRecord): boolean {
  return a.title === b.title && a.mobileHide === b.mobileHide && a.mobileOrder === b.mobileOrder;
}

export interface Assignment {
  readonly id: EntityId;
  readonly version: number;
  readonly dashboardId: EntityId;
  readonly customerId: EntityId;
}

export function assignmentOf({ id, version, body }: StoredDocument): Assignment {
  return {
    id,
    version,
    dashboardId: textMember(body, 'dashboardId') ?? '',
    customerId: textMember(body, 'customerId') ?? '',
  };
}

export function pairOf(dashboardId: EntityId, customerId: EntityId): string {
  return `${dashboardId} ${customerId}`;
}

export function assignmentDocument(
  dashboard: DashboardRecord,
  { id, version, customerId }: Pick<Assignment, 'id' | 'version' | 'customerId'>,
): StoredDocument {
  const { tenantId, createdTime } = dashboard;
  const pair = pairOf(dashboard.id, customerId);
  const body = { pair, dashboardId: dashboard.id, customerId, ...listMembers(dashboard) };
  return { id, tenantId, createdTime, version, body };
}
