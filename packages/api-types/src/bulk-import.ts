import { type Static, Type } from 'typebox';
import { named, nullableText } from './building-blocks.ts';

const flag = (description: string) =>
  Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], description }));

/** A CSV file and what its columns mean. thingsboard-server.md, section 6 */
export const BulkImportRequest = named(
  'BulkImportRequest',
  Type.Object({
    file: Type.String({ description: 'The whole CSV text.' }),
    mapping: Type.Object({
      columns: Type.Array(
        Type.Object({
          type: Type.String({ maxLength: 64, examples: ['NAME', 'TYPE', 'SERVER_ATTRIBUTE'] }),
          key: Type.Optional(nullableText({ maxLength: 255, description: 'Of attributes and series.' })),
        }),
        { maxItems: 1000 },
      ),
      delimiter: Type.Optional(nullableText({ maxLength: 1, description: 'A comma if left out.' })),
      update: flag('Attributes and series of devices that exist are written too. True if left out.'),
      header: flag('The first line names the columns and is skipped. True if left out.'),
    }),
    dryRun: flag('Checks every line and writes nothing. False if left out.'),
  }),
);
export type BulkImportRequest = Static<typeof BulkImportRequest>;

export const BulkImportResult = named(
  'BulkImportResult',
  Type.Object({
    created: Type.Integer(),
    updated: Type.Integer(),
    errors: Type.Integer(),
    errorsList: Type.Array(Type.String(), { examples: [['Line 3: Device name should be specified!']] }),
  }),
);
export type BulkImportResult = Static<typeof BulkImportResult>;
