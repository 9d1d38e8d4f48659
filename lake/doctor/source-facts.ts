/** What the ledger says of sources that a person should look at. */
import { readFewRecords } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import { findTwins, type Twins } from '#lake/twins';
import { type Answer, ask } from './finding.ts';

export interface SourceFacts {
    /** Raw keys of sources that could not be used, or of which not one row counts; ascending. */
    lost: readonly string[];
    twins: readonly Twins[];
}

/** Looks at the ledger; undefined where it has too many records for a look that takes seconds. */
export function gatherSources(store: ObjectStore): Promise<Answer<SourceFacts | undefined>> {
    return ask(
        async () => {
            const records = await readFewRecords(store);
            const lost = records?.filter(({ state }) => state === 'failed' || state === 'empty').map(({ source }) => source);
            return records && { lost: (lost ?? []).sort(), twins: findTwins(records) };
        },
        { doing: 'read the ledger' },
    );
}
