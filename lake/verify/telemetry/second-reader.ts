/** The second way to read a source of telemetry, and to derive tables from readings. */
import type { SecondReader } from '#lake/kind';
import { episodesAgain } from './episodes-again.ts';
import { hoursAgain } from './hours-again.ts';
import { recompute } from './recompute.ts';

export const secondReader: SecondReader = { recompute, derivations: { metric_hours: hoursAgain, episodes: episodesAgain } };
