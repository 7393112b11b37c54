import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { DocumentCondition, StoredDocument } from '../ports/documents.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { jsonProblem, textProblem } from '../registry/text-rules.ts';
import { countDocuments, deleteAll, someDocuments } from './document-pages.ts';
import { EntityDirectory, type RelatedServices } from './entity-directory.ts';
import { MAX_RELATIONS, RELATIONS, relationDocument, relationKey, relationOf } from './relation-collection.ts';
import {
  type EntityRef,
  RELATION_TYPE_GROUPS,
  type Relation,
  type RelationInfo,
  type RelationKey,
  type RelationQuery,
  type RelationService,
} from './relation-service.ts';

const COMMON = 'COMMON';
/** Types whose deletion does not take the relations with it: what they leave is not shown. */
const MAY_BE_GONE = ['CUSTOMER', 'DEVICE_PROFILE', 'USER'];

export interface RelationsOptions {
  readonly repositories: Repositories;
  readonly services: RelatedServices;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry. */
  readonly locks: Pick<EntityLocks, 'run'>;
}

/** The relations of all tenants. thingsboard-server.md, 2.5 */
export class Relations implements RelationService {
  readonly #options: RelationsOptions;
  readonly #directory: EntityDirectory;

  constructor(options: RelationsOptions) {
    this.#options = options;
    this.#directory = new EntityDirectory(options.services);
  }

  async save(caller: Caller, relation: Relation): Promise<Result<Relation>> {
    const refusal =
      keyProblem(relation) ??
      jsonProblem('additionalInfo', relation.additionalInfo) ??
      (await this.#endsProblem(caller, relation, 'write'));
    if (refusal !== null) return refusal;
    const { crypto, clock, repositories, locks } = this.#options;
    const { tenantId } = caller;
    const saved = await locks.run(lockOf(relation.from), async () => {
      const present = await this.#present(tenantId, relation);
      const full = present === null ? await this.#fullEnd(tenantId, relation) : null;
      if (full !== null) return full;
      const identity = present ?? { id: crypto.uuid(), tenantId, createdTime: clock.now(), version: 0 };
      const record = relationDocument(relation, { ...identity, version: identity.version + 1 });
      const expectedVersion = present === null ? null : present.version;
      const outcome = await repositories.commit([
        { kind: 'putDocument', collection: RELATIONS, record, expectedVersion },
      ]);
      return outcome === 'done' ? success(record) : commitRefusal(outcome);
    });
    if (!saved.ok) return saved;
    // An end that was deleted meanwhile has had its relations removed before this one came.
    const gone = await this.#endsProblem(caller, relation, 'write');
    if (gone === null) return success(relation);
    await repositories.commit([
      { kind: 'deleteDocument', collection: RELATIONS, id: saved.value.id, expectedVersion: saved.value.version },
    ]);
    return gone;
  }

  async get(caller: Caller, key: RelationKey): Promise<Result<Relation>> {
    const refusal = keyProblem(key) ?? (await this.#endsProblem(caller, key, 'read'));
    if (refusal !== null) return refusal;
    const present = await this.#present(caller.tenantId, key);
    return present === null ? refuse('notFound') : success(relationOf(present));
  }

  async remove(caller: Caller, key: RelationKey): Promise<Result<null>> {
    const refusal = keyProblem(key) ?? (await this.#endsProblem(caller, key, 'write'));
    if (refusal !== null) return refusal;
    const { repositories, locks } = this.#options;
    return locks.run(lockOf(key.from), async () => {
      const present = await this.#present(caller.tenantId, key);
      if (present === null) return refuse('notFound');
      const outcome = await repositories.commit([
        { kind: 'deleteDocument', collection: RELATIONS, id: present.id, expectedVersion: present.version },
      ]);
      return outcome === 'done' ? success(null) : commitRefusal(outcome);
    });
  }

  async removeAll(caller: Caller, entity: EntityRef): Promise<Result<null>> {
    const found = await this.#directory.find(caller, entity, 'write');
    if (!found.ok) return found;
    for (const end of ['from', 'to'] as const) {
      const relations = await this.#ofEntity(caller, { end, entity, type: null, typeGroup: COMMON });
      const others = relations.map((relation) => otherEnd(relation, end));
      // A customer may not cut ties to what it does not see.
      const visible = await this.#visible(caller, others);
      for (const [index, relation] of relations.entries()) {
        const other = others[index];
        if (other === undefined || (visible !== null && !visible.has(other.id))) continue;
        const removed = await this.remove(caller, relation);
        if (!removed.ok && removed.code !== 'notFound' && removed.code !== 'permissionDenied') return removed;
      }
    }
    return success(null);
  }

  async list(caller: Caller, query: RelationQuery): Promise<Result<readonly Relation[]>> {
    const refusal = await this.#queryProblem(caller, query);
    if (refusal !== null) return refusal;
    const relations = await this.#ofEntity(caller, query);
    const visible = await this.#visible(
      caller,
      relations.map((relation) => otherEnd(relation, query.end)),
    );
    return success(
      visible === null ? relations : relations.filter((relation) => visible.has(otherEnd(relation, query.end).id)),
    );
  }

  async listInfos(caller: Caller, query: RelationQuery): Promise<Result<readonly RelationInfo[]>> {
    const refusal = await this.#queryProblem(caller, query);
    if (refusal !== null) return refusal;
    const relations = await this.#ofEntity(caller, query);
    const names = await this.#directory.names(
      caller,
      relations.flatMap(({ from, to }) => [from, to]),
    );
    return success(
      relations.flatMap((relation) => {
        const fromName = names.get(relation.from.id);
        const toName = names.get(relation.to.id);
        return fromName === undefined || toName === undefined ? [] : { ...relation, fromName, toName };
      }),
    );
  }

  async #ofEntity(caller: Caller, { end, entity, type, typeGroup }: RelationQuery): Promise<readonly Relation[]> {
    const { repositories } = this.#options;
    const selection = { tenantId: caller.tenantId, conditions: [endCondition(end, entity.id)] };
    const documents = await someDocuments(repositories, RELATIONS, selection, 2 * MAX_RELATIONS);
    return documents
      .map(relationOf)
      .filter((relation) => relation.typeGroup === typeGroup && (type === null || relation.type === type));
  }

  /** The ids of those that exist and that the caller may see; null: all of them. */
  async #visible(caller: Caller, entities: readonly EntityRef[]): Promise<ReadonlySet<EntityId> | null> {
    const isUnsure = ({ entityType }: EntityRef) =>
      caller.authority === 'CUSTOMER_USER' || MAY_BE_GONE.includes(entityType);
    const unsure = entities.filter(isUnsure);
    if (unsure.length === 0) return null;
    const sure = entities.filter((entity) => !isUnsure(entity)).map(({ id }) => id);
    return new Set([...sure, ...(await this.#directory.names(caller, unsure)).keys()]);
  }

  async #queryProblem(caller: Caller, { entity, typeGroup }: RelationQuery): Promise<PlatformError | null> {
    const problem = groupProblem(typeGroup);
    if (problem !== null) return problem;
    const found = await this.#directory.find(caller, entity, 'read');
    return found.ok ? null : found;
  }

  async #endsProblem(caller: Caller, key: RelationKey, operation: 'read' | 'write'): Promise<PlatformError | null> {
    for (const end of [key.from, key.to]) {
      const found = await this.#directory.find(caller, end, operation);
      if (!found.ok) return found;
    }
    return null;
  }

  async #present(tenantId: EntityId, key: RelationKey): Promise<StoredDocument | null> {
    const conditions = [{ member: 'key', is: '=' as const, value: relationKey(key) }];
    const [found] = await someDocuments(this.#options.repositories, RELATIONS, { tenantId, conditions }, 1);
    return found ?? null;
  }

  async #fullEnd(tenantId: EntityId, { from, to }: RelationKey): Promise<PlatformError | null> {
    for (const condition of [endCondition('from', from.id), endCondition('to', to.id)]) {
      const selection = { tenantId, conditions: [condition] };
      if ((await countDocuments(this.#options.repositories, RELATIONS, selection)) >= MAX_RELATIONS) {
        return refuse('limitExceeded', `An entity can have at most ${MAX_RELATIONS} relations in one direction!`);
      }
    }
    return null;
  }
}

/**
 * Deletes every relation of an entity that is gone; part of the removal of an owner's data, so it is taken up again
 * after a crash. `stored`: nothing is left.
 */
export async function removeRelations(
  repositories: Pick<Repositories, 'documents' | 'commit'>,
  id: EntityId,
): Promise<WriteOutcome> {
  for (const end of ['from', 'to'] as const) {
    const outcome = await deleteAll(repositories, RELATIONS, { tenantId: null, conditions: [endCondition(end, id)] });
    if (outcome !== 'stored') return outcome;
  }
  return 'stored';
}

function endCondition(end: 'from' | 'to', id: EntityId): DocumentCondition {
  return { member: end === 'from' ? 'fromId' : 'toId', is: '=', value: id };
}

function otherEnd({ from, to }: Relation, end: 'from' | 'to'): EntityRef {
  return end === 'from' ? to : from;
}

function lockOf(from: EntityRef): string {
  return `relations of ${from.id}`;
}

function keyProblem({ type, typeGroup }: RelationKey): PlatformError | null {
  if (type.trim() === '') return refuse('badRequest', 'Relation type should be specified!');
  return textProblem('type', type) ?? groupProblem(typeGroup);
}

function groupProblem(typeGroup: string): PlatformError | null {
  if (RELATION_TYPE_GROUPS.some((group) => group === typeGroup)) return null;
  return refuse('badRequest', `Unknown relation type group: ${typeGroup.slice(0, 64)}`);
}
