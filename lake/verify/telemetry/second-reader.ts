/** The second way to read a source of telemetry. */
import type { SecondReader } from '#lake/kind';
import { recompute } from './recompute.ts';

export const secondReader: SecondReader = { recompute };
