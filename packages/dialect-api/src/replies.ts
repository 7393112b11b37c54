import type { Attribute, ProvisionOutcome, ReplyRef } from '@moorage/core';
import type { PayloadSource } from './commands.ts';

/** What the platform answers to an intent that has a `ref`. */
export type DeviceReply =
  | {
      readonly kind: 'attributes';
      readonly ref: ReplyRef;
      /** The device behind the gateway that is answered for; null: the connection's own. */
      readonly subDevice: string | null;
      readonly client: readonly Attribute[];
      readonly shared: readonly Attribute[];
    }
  | {
      readonly kind: 'clientRpc';
      readonly ref: ReplyRef;
      readonly subDevice: string | null;
      /** JSON text. */
      readonly payload: string;
    }
  | {
      /** Of `Dialect.answerRequest`. */
      readonly kind: 'dialect';
      readonly ref: ReplyRef;
      readonly subDevice: string | null;
      /** JSON text. */
      readonly payload: string;
    }
  | {
      /** What became of the message of a disposition that asked for it. `refused`: not all of it was taken. */
      readonly kind: 'outcome';
      readonly ref: ReplyRef;
      readonly outcome: 'stored' | 'full' | 'failed' | 'refused';
    }
  | { readonly kind: 'provision'; readonly ref: ReplyRef; readonly outcome: ProvisionOutcome }
  | {
      readonly kind: 'otaChunk';
      readonly ref: ReplyRef;
      readonly payload: PayloadSource;
      /** Bytes of the whole file. */
      readonly fileSize?: number;
    }
  | {
      readonly kind: 'otaError';
      readonly ref: ReplyRef;
      readonly error: 'notFound' | 'elsewhere' | 'tooLarge' | 'failed';
    };
