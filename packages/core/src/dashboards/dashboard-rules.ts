import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { JsonObject } from '../model/entities.ts';
import type { DocumentQuery } from '../ports/documents.ts';
import { pageWindow } from '../registry/paging.ts';
import { textProblem } from '../registry/text-rules.ts';
import { textMember } from '../relations/body-members.ts';
import type { DashboardInput, DashboardListQuery, HomeDashboard } from './dashboard-service.ts';

/** Longest configuration, in characters: what fits a request. thingsboard-server.md, 0.1 */
const MAX_CONFIGURATION_LENGTH = 16_777_216;
const MAX_IMAGE_LENGTH = 1_048_576;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

type ListWindow = Pick<DocumentQuery, 'offset' | 'limit' | 'textSearch' | 'sort' | 'descending'>;

/** The part of a list that is asked for; for mobile use in the order for it, unless told otherwise. */
export function listWindow(query: DashboardListQuery): Result<ListWindow> {
  const window = pageWindow(query, ['id', 'createdTime', 'title']);
  if (!window.ok || !query.mobile || query.sortProperty !== null) return window;
  return success({ ...window.value, sort: 'mobileRank' });
}

export function mobileCondition({ mobile }: DashboardListQuery): DocumentQuery['conditions'] {
  return mobile ? [{ member: 'mobile', is: '=', value: true }] : [];
}

/** What the additional information of a user or a customer chooses; null: nothing. */
export function homeOf(info: JsonObject | null): HomeDashboard | null {
  const dashboardId = info === null ? null : textMember(info, 'homeDashboardId')?.toLowerCase();
  if (info === null || dashboardId === undefined || dashboardId === null || !UUID.test(dashboardId)) return null;
  return { dashboardId, hideToolbar: info.homeDashboardHideToolbar !== false };
}

/** Why a dashboard cannot be saved; null: it can. */
export function inputProblem(input: DashboardInput): PlatformError | null {
  if (input.title.trim() === '') return refuse('badRequest', 'Dashboard title should be specified!');
  if (input.image !== null && input.image.length > MAX_IMAGE_LENGTH) {
    return refuse('badRequest', `Validation error: image length must be equal or less than ${MAX_IMAGE_LENGTH}`);
  }
  if ((input.configuration?.length ?? 0) > MAX_CONFIGURATION_LENGTH) {
    return refuse(
      'badRequest',
      `Validation error: configuration is longer than ${MAX_CONFIGURATION_LENGTH} characters`,
    );
  }
  return textProblem('title', input.title);
}
