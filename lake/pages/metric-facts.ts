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
    /** Its place among the profile's metrics, from 0: who writes a profile begins with what matters. Null where it is not named as it is. */
    place: number | null;
}

/** Facts of a metric by its name; without a profile nothing is known. @throws StorageError where the profile is damaged */
export async function factsOfMetrics(store: ObjectStore, profile: string | null): Promise<(metric: string) => MetricFacts> {
    const prefix = telemetry.inputs?.prefix;
    const input = profile === null || prefix === undefined ? undefined : await readInput(store, prefix, profile);
    const read = input && parseProfile(input.document);
    return (metric) => {
        const facts = read?.factsOf(metric);
        const place = read?.document.metrics.findIndex(({ name }) => name === metric) ?? -1;
        return { unit: facts?.unit ?? null, kind: facts?.kind ?? null, place: place === -1 ? null : place };
    };
}
