/** What `npm run check:model` has spin try: models, bounds within which their rules must hold, rules taken out, which must break a promise, and what must happen at all. */
import { commitRules } from './commit-runs.ts';
import { derivedTables } from './derived-runs.ts';
import type { Model } from './model.ts';

export const MODELS: readonly Model[] = [commitRules, derivedTables];
