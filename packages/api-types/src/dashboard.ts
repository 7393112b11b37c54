import { type Static, Type } from 'typebox';
import {
  alwaysNull,
  epochMs,
  named,
  nullableInteger,
  nullableJsonObject,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput, Uuid } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

/** A customer as dashboards name it. */
export const ShortCustomerInfo = named(
  'ShortCustomerInfo',
  Type.Object({ customerId: refTo(EntityId), title: Type.String(), public: Type.Boolean() }),
);
export type ShortCustomerInfo = Static<typeof ShortCustomerInfo>;

const dashboardMembers = {
  id: refTo(EntityId),
  createdTime: epochMs(),
  tenantId: refTo(EntityId),
  title: Type.String(),
  name: Type.String({ description: 'The title.' }),
  image: nullableText({ description: 'Longer than 2,048 characters it comes with the whole dashboard only.' }),
  assignedCustomers: Type.Array(refTo(ShortCustomerInfo), {
    description: 'By title; for users of a customer, their own one alone.',
  }),
  mobileHide: Type.Boolean(),
  mobileOrder: nullableInteger(),
  externalId: alwaysNull(),
  version: Type.Integer(),
};

/** A dashboard without what it shows. thingsboard-server.md, 2.9 */
export const DashboardInfo = named('DashboardInfo', Type.Object(dashboardMembers));
export type DashboardInfo = Static<typeof DashboardInfo>;

export const Dashboard = named(
  'Dashboard',
  Type.Object({ ...dashboardMembers, configuration: nullableJsonObject({ description: 'Exactly as it was saved.' }) }),
);
export type Dashboard = Static<typeof Dashboard>;

export const DashboardInfoPage = pageOf('DashboardInfoPage', refTo(DashboardInfo));
export type DashboardInfoPage = Static<typeof DashboardInfoPage>;

/** A dashboard to create (no `id`) or to update. Further members are ignored. */
export const DashboardInput = named(
  'DashboardInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    title: Type.String({ maxLength: 255 }),
    image: Type.Optional(nullableText({ maxLength: 1_048_576 })),
    mobileHide: Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'] })),
    mobileOrder: Type.Optional(nullableInteger()),
    configuration: Type.Optional(nullableJsonObject({ description: 'Left out: as it is.' })),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type DashboardInput = Static<typeof DashboardInput>;

export const DashboardListQuery = Type.Object({
  ...PageLinkProperties,
  mobile: Type.Optional(
    Type.Boolean({ description: 'Only those for the mobile application, in its order unless told otherwise.' }),
  ),
});
export type DashboardListQuery = Static<typeof DashboardListQuery>;

export const CustomerIds = Type.Array(Uuid, { maxItems: 10_000 });

/** The dashboard that opens after sign-in. */
export const HomeDashboardInfo = named(
  'HomeDashboardInfo',
  Type.Object({ dashboardId: refTo(EntityId), hideDashboardToolbar: Type.Boolean() }),
);
export type HomeDashboardInfo = Static<typeof HomeDashboardInfo>;

export const HomeDashboard = named(
  'HomeDashboard',
  Type.Object({ ...Dashboard.properties, hideDashboardToolbar: Type.Boolean() }),
);
export type HomeDashboard = Static<typeof HomeDashboard>;
