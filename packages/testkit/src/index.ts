export {
  connectPacket,
  connectVia,
  credentialLookup,
  type DialectSkips,
  type DialectUnderTest,
  describeDialect,
  deviceLink,
  dialectMessage,
} from './dialects/describe-dialect.ts';
export * from './dialects/random-inputs.ts';
export * from './mqtt/index.ts';
export * from './registry/describe-repositories.ts';
export * from './registry/fake-crypto.ts';
export * from './registry/memory-repositories.ts';
export * from './registry/open-test-registry.ts';
export * from './registry/sample-records.ts';
export * from './telemetry/index.ts';
