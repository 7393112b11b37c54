export { PlainDialect, type PlainDialectOptions } from './dialect.ts';
