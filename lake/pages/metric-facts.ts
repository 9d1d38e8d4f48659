/** What the profile that holds now says of metrics. */
import { readInput } from '#lake/inputs';
import type { ObjectStore } from '#lake/store/object-store';
import { telemetry } from '#lake/telemetry/kind';
import { parseProfile } from '#lake/telemetry/profile/profile';

export interface MetricFacts {
    /** UCUM; null where the profile says none, or there is no profile. */
    unit: string | null;
    /** Null where no profile tells. */
    kind: 'number' | 'text' | 'yes/no' | null;
}

/** Facts of a metric by its name; without a profile nothing is known. @throws StorageError where the profile is damaged */
export async function factsOfMetrics(store: ObjectStore, profile: string | null): Promise<(metric: string) => MetricFacts> {
    const prefix = telemetry.inputs?.prefix;
    const input = profile === null || prefix === undefined ? undefined : await readInput(store, prefix, profile);
    const read = input && parseProfile(input.document);
    return (metric) => {
        const facts = read?.factsOf(metric);
        return { unit: facts?.unit ?? null, kind: facts?.kind ?? null };
    };
}
