export { WaveshareDialect, type WaveshareDialectOptions } from './dialect.ts';
