/**
 * Core's `NULL_ID`, repeated so that the thread need not load the whole of core at start; a test compares the two.
 * It is part of the schema and never changes.
 */
export const NO_CUSTOMER = '13814000-1dd2-11b2-8080-808080808080';
