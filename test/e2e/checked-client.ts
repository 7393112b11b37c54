import type { AxiosResponse } from 'axios';
import { type OpenAPIClient, OpenAPIClientAxios } from 'openapi-client-axios';
import { Compile } from 'typebox/compile';
import { type Json, type JsonObject, objectIn, operationsOf } from './openapi-structure.ts';

const PREFIX = '#/components/schemas/';

type Parameters = Readonly<Record<string, unknown>>;

/** An answer, as the library gives it. Its body is looked into in every shape. */
// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
export type Answer = AxiosResponse<any>;

/**
 * A client that `openapi-client-axios` makes out of the document alone. Every answer is held against the schema that the document
 * gives for its operation and status.
 */
export class CheckedClient {
  readonly #document: JsonObject;
  readonly #client: OpenAPIClient;
  readonly #schemas: Record<string, object>;
  readonly #headers: Record<string, string> = {};
  /** The operations that were called. */
  readonly called = new Set<string>();

  private constructor(document: JsonObject, client: OpenAPIClient) {
    this.#document = document;
    this.#client = client;
    this.#schemas = Object.fromEntries(
      Object.entries(objectIn(objectIn(document.components).schemas)).map(([name, schema]) => [name, local(schema)]),
    );
  }

  static async of(baseUrl: string): Promise<CheckedClient> {
    const definition = `${baseUrl}/openapi.json`;
    const document = (await (await fetch(definition)).json()) as JsonObject;
    const api = new OpenAPIClientAxios({ definition, axiosConfigDefaults: { baseURL: baseUrl, validateStatus: null } });
    return new CheckedClient(document, await api.init());
  }

  /** What every later call sends as `X-Authorization`. */
  authorize(value: string): void {
    this.#headers['X-Authorization'] = value;
  }

  /** Calls an operation; throws if the answer is not 200 or not what the document says. */
  async call(operationId: string, parameters: Parameters = {}, body?: unknown): Promise<Answer> {
    const answer = await this.try(operationId, parameters, body);
    if (answer.status !== 200) {
      throw new Error(`${operationId}: ${answer.status} ${JSON.stringify(answer.data)}`);
    }
    return answer;
  }

  /** The same, for an answer of any status. */
  async try(operationId: string, parameters: Parameters = {}, body?: unknown): Promise<Answer> {
    const method = this.#client[operationId];
    if (typeof method !== 'function') throw new Error(`The document has no operation ${operationId}`);
    const answer: Answer = await method(parameters as never, body as never, { headers: this.#headers });
    this.called.add(operationId);
    this.#check(operationId, answer);
    return answer;
  }

  #check(operationId: string, { status, data }: Answer): void {
    const found = operationsOf(this.#document).find(({ operation }) => operation.operationId === operationId);
    const answers = objectIn(found?.operation.responses);
    const declared = answers[String(status)] ?? answers[`${Math.trunc(status / 100)}XX`];
    if (declared === undefined) throw new Error(`${operationId}: the document has no answer for ${status}`);
    const { content } = objectIn(declared);
    if (content === undefined) {
      if (data !== '') throw new Error(`${operationId}: a body where none is declared: ${JSON.stringify(data)}`);
      return;
    }
    const type = typeof data === 'string' && objectIn(content)['text/plain'] ? 'text/plain' : 'application/json';
    const { schema } = objectIn(objectIn(content)[type]);
    if (schema === undefined) return;
    const validator = Compile(this.#schemas, local(schema));
    // An empty body is how null is sent.
    if (validator.Check(data === '' && type === 'application/json' ? null : data)) return;
    const [fault] = validator.Errors(data);
    throw new Error(
      `${operationId}: the answer is not as declared: ${JSON.stringify(fault)} in ${JSON.stringify(data)}`,
    );
  }
}

/** A schema whose references are the names of components. */
function local(schema: Json | undefined): object {
  const text = JSON.stringify(schema, (member, value: unknown) =>
    member === '$ref' && typeof value === 'string' ? value.replace(PREFIX, '') : value,
  );
  return JSON.parse(text);
}
