import { parentPort, workerData } from 'node:worker_threads';
import type { Change } from '@moorage/core';
import { StoreError } from '../sqlite/store-error.ts';
import { RegistryDatabase } from './registry-database.ts';
import type { RegistryReply, RegistryRequest, RegistryThreadOptions } from './registry-messages.ts';

/** Commits put into one transaction at most; more wait for the next one. */
const MAX_GROUP = 500;

function send(reply: RegistryReply): void {
  parentPort?.postMessage(reply);
}

function unforeseen(error: unknown): void {
  send({ kind: 'unforeseen', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function read(database: RegistryDatabase, request: Extract<RegistryRequest, { kind: 'read' }>): void {
  try {
    const operation = database[request.operation] as (...parameters: readonly unknown[]) => unknown;
    send({ kind: 'result', call: request.call, result: operation.apply(database, [...request.arguments]) });
  } catch (error) {
    send({ kind: 'failure', call: request.call, message: error instanceof Error ? error.message : String(error) });
  }
}

/** Answers reads as they come; commits that arrive in one turn of the event loop share a transaction. */
function serve(database: RegistryDatabase): void {
  const waiting: { readonly call: number; readonly changes: readonly Change[] }[] = [];
  let scheduled = false;
  const commitGroup = (): void => {
    scheduled = false;
    const group = waiting.splice(0, MAX_GROUP);
    const outcomes = database.commitAll(
      group.map((commit) => commit.changes),
      unforeseen,
    );
    send({ kind: 'outcomes', outcomes: group.map((commit, index) => [commit.call, outcomes[index] ?? 'failed']) });
    if (waiting.length > 0) schedule();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(commitGroup);
  };
  parentPort?.on('message', (request: RegistryRequest) => {
    if (request.kind === 'read') read(database, request);
    else if (request.kind === 'commit') {
      waiting.push(request);
      schedule();
    } else {
      while (waiting.length > 0) commitGroup();
      database.close();
      parentPort?.close();
    }
  });
}

function start(options: RegistryThreadOptions): void {
  let database: RegistryDatabase;
  try {
    database = RegistryDatabase.open(options.path, options.durability, Date.now());
  } catch (error) {
    const code = error instanceof StoreError ? error.code : null;
    send({ kind: 'refused', code, message: error instanceof Error ? error.message : String(error) });
    return;
  }
  send({ kind: 'opened', installationId: database.installationId });
  serve(database);
}

start(workerData);
