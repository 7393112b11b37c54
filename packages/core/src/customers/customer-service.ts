import { normaliseEmail } from '../accounts/password-policy.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type Device, type EntityId, NULL_ID } from '../model/entities.ts';
import type {
  Caller,
  CustomerInput,
  CustomerService,
  DeviceInfo,
  DeviceListQuery,
  Page,
  PageQuery,
} from '../platform.ts';
import type { CommitOutcome } from '../ports/repositories.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import type { DeviceAssignment } from '../registry/device-assignment.ts';
import type { DeviceReads } from '../registry/device-reads.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { jsonProblem, textProblem } from '../registry/text-rules.ts';
import { CONTACT_MEMBERS, type Customer } from './customer.ts';
import { CUSTOMERS, contactOf, customerOf, documentOf, removingDocumentOf } from './customer-collection.ts';
import type { CustomerRemovals } from './customer-removals.ts';

const PUBLIC_TITLE = 'Public';
const DUPLICATE = 'Customer with such title already exists!';

/** The customers of all tenants and what is assigned to them. thingsboard-server.md, 2.6 and 2.7 */
export class RegistryCustomers implements CustomerService {
  readonly #context: RegistryContext;
  readonly #reads: DeviceReads;
  readonly #assignment: DeviceAssignment;
  readonly #removals: CustomerRemovals;

  constructor(context: RegistryContext, reads: DeviceReads, assignment: DeviceAssignment, removals: CustomerRemovals) {
    this.#context = context;
    this.#reads = reads;
    this.#assignment = assignment;
    this.#removals = removals;
  }

  async save(caller: Caller, input: CustomerInput): Promise<Result<Customer>> {
    const { id } = input;
    const role = authorizeRole(caller, id === null ? 'create' : 'write', 'customer');
    if (role !== null) return role;
    if (id === null) return inputProblem(input, null) ?? this.#create(caller.tenantId, input, false);
    return this.#context.locks.run(id, () => this.#update(caller, id, input));
  }

  get(caller: Caller, id: EntityId): Promise<Result<Customer>> {
    return this.#find(caller, id, 'read');
  }

  async byTitle(caller: Caller, title: string): Promise<Result<Customer>> {
    const role = authorizeRole(caller, 'write', 'customer');
    if (role !== null) return role;
    const customer = await this.#byTitle(caller.tenantId, title);
    return customer === null ? refuse('notFound') : success(customer);
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<Customer>>> {
    const role = authorizeRole(caller, 'write', 'customer');
    if (role !== null) return role;
    const window = pageWindow(query, [...CUSTOMERS.sorts, 'id', 'createdTime']);
    if (!window.ok) return window;
    const { tenantId } = caller;
    const conditions = [{ member: 'listed', is: '=' as const, value: true }];
    const { records, total } = await this.#context.repositories.documents(CUSTOMERS, {
      ...window.value,
      tenantId,
      conditions,
    });
    const customers = { records: records.flatMap((document) => customerOf(document) ?? []), total };
    return success(toPage(window.value, customers, (customer) => customer));
  }

  /** The customer is gone at once; its users and devices are cut loose before this resolves, or at the next start. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const { repositories, customers, locks } = this.#context;
    return locks.run(id, async () => {
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const found = await this.#find(caller, id, 'delete', `Customer with id [${id}] is not found`);
        if (!found.ok) return found;
        const record = removingDocumentOf(found.value);
        const expectedVersion = found.value.version;
        const outcome = await repositories.commit([
          { kind: 'putDocument', collection: CUSTOMERS, record, expectedVersion },
        ]);
        customers.forget(id);
        if (outcome === 'done') {
          await this.#removals.run(found.value);
          return success(null);
        }
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }

  async assignDevice(caller: Caller, customerId: EntityId, deviceId: EntityId): Promise<Result<Device>> {
    const role = authorizeRole(caller, 'assign', 'device');
    if (role !== null) return role;
    // Under the lock a customer is not removed between the check and the assignment.
    return this.#context.locks.run(customerId, async () => {
      const customer = await this.#find(caller, customerId, 'read', `Customer with id [${customerId}] is not found`);
      if (!customer.ok) return customer;
      const device = await this.#reads.find(caller, deviceId, 'assign');
      return device.ok ? this.#assignment.set(deviceId, customerId, () => true) : device;
    });
  }

  async assignDeviceToPublic(caller: Caller, deviceId: EntityId): Promise<Result<Device>> {
    const device = await this.#reads.find(caller, deviceId, 'assign');
    if (!device.ok) return device;
    const customer = await this.publicCustomer(caller);
    return customer.ok ? this.assignDevice(caller, customer.value.id, deviceId) : customer;
  }

  async unassignDevice(caller: Caller, deviceId: EntityId): Promise<Result<Device>> {
    const device = await this.#reads.find(caller, deviceId, 'assign');
    if (!device.ok) return device;
    if (device.value.customerId === NULL_ID) return refuse('badRequest', "Device isn't assigned to any customer!");
    return this.#assignment.set(deviceId, NULL_ID, () => true);
  }

  async devices(caller: Caller, customerId: EntityId, query: DeviceListQuery): Promise<Result<Page<Device>>> {
    const customer = await this.#find(caller, customerId, 'read', `Customer with id [${customerId}] is not found`);
    return customer.ok ? this.#reads.list(caller, query, customerId) : customer;
  }

  async deviceInfos(caller: Caller, customerId: EntityId, query: DeviceListQuery): Promise<Result<Page<DeviceInfo>>> {
    const customer = await this.#find(caller, customerId, 'read', `Customer with id [${customerId}] is not found`);
    return customer.ok ? this.#reads.listInfos(caller, query, customerId) : customer;
  }

  async #create(
    tenantId: EntityId,
    input: Omit<CustomerInput, 'id' | 'version'>,
    isPublic: boolean,
  ): Promise<Result<Customer>> {
    const { crypto, clock, repositories } = this.#context;
    const customer: Customer = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId,
      title: input.title,
      ...contactOf((member) => input[member]),
      isPublic,
      additionalInfo: input.additionalInfo,
      version: 1,
    };
    const record = documentOf(customer);
    const outcome = await repositories.commit([
      { kind: 'putDocument', collection: CUSTOMERS, record, expectedVersion: null },
    ]);
    return outcome === 'done' ? success(customer) : customerRefusal(outcome);
  }

  async #update(caller: Caller, id: EntityId, input: CustomerInput): Promise<Result<Customer>> {
    const { repositories, customers } = this.#context;
    let refusal = refuse('versionConflict');
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const found = await this.#find(caller, id, 'write', `Customer with id [${id}] is not found`);
      if (!found.ok) return found;
      const current = found.value;
      const problem = inputProblem(input, current);
      if (problem !== null) return problem;
      if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
      const customer: Customer = {
        ...current,
        title: input.title,
        ...contactOf((member) => input[member]),
        additionalInfo: input.additionalInfo,
        version: current.version + 1,
      };
      const outcome = await repositories.commit([
        { kind: 'putDocument', collection: CUSTOMERS, record: documentOf(customer), expectedVersion: current.version },
      ]);
      customers.forget(id);
      if (outcome === 'done') return success(customer);
      refusal = customerRefusal(outcome);
      if (!isOvertaken(outcome) || input.version !== null) return refusal;
    }
    return refusal;
  }

  /** Made at first use; two first uses at once make one. */
  async publicCustomer(caller: Caller): Promise<Result<Customer>> {
    const role = authorizeRole(caller, 'assign', 'device');
    if (role !== null) return role;
    const { tenantId } = caller;
    return this.#context.locks.run(`public customer of ${tenantId}`, async () => {
      const present = await this.#byTitle(tenantId, PUBLIC_TITLE);
      if (present !== null) return success(present);
      const nowhere = contactOf(() => null);
      return this.#create(tenantId, { title: PUBLIC_TITLE, ...nowhere, additionalInfo: { isPublic: true } }, true);
    });
  }

  async #byTitle(tenantId: EntityId, title: string): Promise<Customer | null> {
    const { records } = await this.#context.repositories.documents(CUSTOMERS, {
      tenantId,
      conditions: [{ member: 'title', is: '=', value: title }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 1,
    });
    return customerOf(records[0] ?? null);
  }

  async #find(caller: Caller, id: EntityId, operation: Operation, missing?: string): Promise<Result<Customer>> {
    const role = authorizeRole(caller, operation, 'customer');
    if (role !== null) return role;
    const customer = customerOf(await this.#context.repositories.document(CUSTOMERS, id));
    if (customer === null) return refuse('notFound', missing);
    const ownership = { tenantId: customer.tenantId, customerId: customer.id };
    return authorize(caller, operation, 'customer', ownership) ?? success(customer);
  }
}

function customerRefusal(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  const isDuplicate = typeof outcome !== 'string' && outcome.kind === 'uniqueDocument';
  return isDuplicate ? refuse('badRequest', DUPLICATE) : commitRefusal(outcome);
}

function inputProblem(input: CustomerInput, current: Customer | null): PlatformError | null {
  if (input.title.trim() === '') return refuse('badRequest', 'Customer title should be specified!');
  const isReserved = input.title === PUBLIC_TITLE && current?.isPublic !== true;
  if (isReserved) return refuse('badRequest', `Customer with title '${PUBLIC_TITLE}' is reserved!`);
  if (current?.isPublic === true && input.title !== PUBLIC_TITLE) {
    return refuse('badRequest', 'Update of public customer is prohibited!');
  }
  for (const member of ['title', ...CONTACT_MEMBERS] as const) {
    const problem = textProblem(member, input[member]);
    if (problem !== null) return problem;
  }
  if (input.email !== null && input.email !== '' && normaliseEmail(input.email) === undefined) {
    return refuse('badRequest', `Invalid email address format '${input.email}'!`);
  }
  return jsonProblem('additionalInfo', input.additionalInfo);
}
