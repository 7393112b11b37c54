import fc from 'fast-check';

/** Property tests draw the same values in every run; PROPERTY_SEED=random (or a number) explores others. */
const wanted = process.env.PROPERTY_SEED;
if (wanted !== 'random') fc.configureGlobal({ seed: wanted === undefined ? 20_250_101 : Number(wanted) });
