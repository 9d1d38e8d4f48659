/** How far the readers of a deployed lake's streams are behind. */
import type { BucketLake } from '#lake/lake';

/** A function that reads the streams. */
interface Reader {
    job: 'latest' | 'chain';
    /** What stands still where it does. */
    of: string;
    /** Behind by more than this it needs a person. */
    lateMs: number;
    /** What that means for people. */
    ifLate: string;
}

const READERS: readonly Reader[] = [
    {
        job: 'latest',
        of: 'latest state',
        lateMs: 60_000,
        ifLate: 'people and alerts see what was',
    },
    {
        job: 'chain',
        of: 'the chain',
        // It gathers messages for a minute, and a failed batch is tried again.
        lateMs: 10 * 60_000,
        ifLate: 'what devices sent since is in no table',
    },
];

export interface LiveLag {
    reader: Reader;
    /** Age of the oldest record that it last got; undefined where CloudWatch has no figure of the last quarter of an hour. */
    behindMs: number | undefined;
    logGroup: string;
}

export async function readLiveLags(lake: BucketLake, { now }: { now: Date }): Promise<LiveLag[]> {
    const { stage } = await lake.telemetry();
    const nameOf = ({ job }: Reader): string => `flowlake-${stage}-${job}`;
    const ages = await lake.oldestRecords(READERS.map(nameOf), { now });
    return READERS.map((reader) => ({ reader, behindMs: ages.get(nameOf(reader)), logGroup: `/flowlake/${stage}/${reader.job}` }));
}
