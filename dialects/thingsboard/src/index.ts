export { ThingsboardDialect, type ThingsboardDialectOptions } from './dialect.ts';
