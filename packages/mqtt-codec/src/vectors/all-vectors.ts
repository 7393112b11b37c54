import { BAD_CONNECTS, LEGAL_CONNECTS } from './connect-vectors.ts';
import { BAD_OTHERS, LEGAL_OTHERS } from './other-vectors.ts';
import { BAD_ACKNOWLEDGEMENTS, BAD_PUBLISHES, LEGAL_ACKNOWLEDGEMENTS, LEGAL_PUBLISHES } from './publish-vectors.ts';
import { BAD_SUBSCRIBES, LEGAL_SUBSCRIBES } from './subscribe-vectors.ts';
import type { BadVector, LegalVector } from './vector.ts';

export const LEGAL_VECTORS: readonly LegalVector[] = [
  ...LEGAL_CONNECTS,
  ...LEGAL_PUBLISHES,
  ...LEGAL_ACKNOWLEDGEMENTS,
  ...LEGAL_SUBSCRIBES,
  ...LEGAL_OTHERS,
];

export const BAD_VECTORS: readonly BadVector[] = [
  ...BAD_CONNECTS,
  ...BAD_PUBLISHES,
  ...BAD_ACKNOWLEDGEMENTS,
  ...BAD_SUBSCRIBES,
  ...BAD_OTHERS,
];
