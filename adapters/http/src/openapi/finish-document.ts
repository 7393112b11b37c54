import { ErrorObject } from '@moorage/api-types';

interface Media {
  readonly schema: {
    readonly $ref?: string;
    readonly type?: string;
    readonly anyOf?: readonly Media['schema'][];
    readonly description?: string;
  };
}

interface Answer {
  description: string;
  content?: Record<string, Media>;
}

export interface RequestBody {
  readonly required?: boolean;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

export interface OpenApiOperation {
  readonly operationId?: string;
  requestBody?: RequestBody;
  readonly responses: Record<string, Answer>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
}

const GENERATED = 'Default Response';
const ERROR_REF = `#/components/schemas/${ErrorObject.$id}`;

/**
 * Says what the generator cannot know: what an answer means, that a refusal is an error object whatever the media type of the
 * success, and that a sentence is `text/plain`. `bodies` replaces parts of request bodies, by operationId.
 */
export function finishDocument(document: OpenApiDocument, bodies: ReadonlyMap<string, RequestBody>): void {
  for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
    for (const [status, answer] of Object.entries(operation.responses)) finishAnswer(status, answer);
    const body = bodies.get(operation.operationId ?? '');
    if (body !== undefined) operation.requestBody = { ...operation.requestBody, ...body };
  }
}

function finishAnswer(status: string, answer: Answer): void {
  if (answer.description === GENERATED) answer.description = meaningOf(status);
  const [media] = Object.values(answer.content ?? {});
  if (media === undefined || !isRefusal(status)) return;
  const branches = media.schema.anyOf ?? [media.schema];
  if (!branches.some(({ $ref }) => $ref === ERROR_REF)) return;
  const sentence = branches.find(({ type }) => type === 'string' && branches.length > 1);
  const others = branches.filter((branch) => branch !== sentence);
  const [only = media.schema, ...more] = others;
  answer.content = {
    'application/json': { schema: more.length === 0 ? only : { anyOf: others } },
    ...(sentence === undefined ? {} : { 'text/plain': { schema: sentence } }),
  };
}

function isRefusal(status: string): boolean {
  return status.startsWith('4') || status.startsWith('5');
}

function meaningOf(status: string): string {
  if (status.startsWith('2')) return 'Done.';
  if (status.startsWith('3')) return 'Look elsewhere.';
  if (status.startsWith('5')) return 'The server failed, its storage is full, or it does not offer this.';
  return 'Refused: something in the request is wrong, not allowed or not there.';
}
