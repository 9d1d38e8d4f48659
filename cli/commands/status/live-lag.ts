/** How far the readers of a deployed lake's streams are behind, in words. */
import { sayDuration } from '#cli/draw/quantity';
import type { BucketLake } from '#lake/lake';
import { PIPELINE_LATE_MS } from '#lake/live/device-state';

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

/** `Behind the streams: latest state 0.1 s, the chain 1 min`. */
export function sayLiveLags(lags: readonly LiveLag[]): string {
    const known = lags.filter(({ behindMs }) => behindMs !== undefined);
    if (known.length === 0) {
        return 'No message came from devices for a quarter of an hour, or nobody reads the streams: flowlake doctor tells which';
    }
    const said = lags.map(({ reader: { of }, behindMs }) => `${of} ${behindMs === undefined ? 'not known' : sayDuration(behindMs)}`);
    return `Behind the streams: ${said.join(', ')}`;
}

/** What needs a person by what the function `watch` saw of latest state, which asks the streams themselves: CloudWatch has no figure of a function that gets nothing. */
export async function readPipeline(lake: BucketLake, { now }: { now: () => Date }): Promise<string | undefined> {
    const { stage } = await lake.telemetry();
    const { isPipelineLate, watermarkMs } = await (await lake.state({ now })).clock();
    return isPipelineLate
        ? `Messages of devices wait for latest state for more than ${sayDuration(PIPELINE_LATE_MS)}, or nobody has looked for minutes: it is as it was at ` +
              `${new Date(watermarkMs).toISOString()}. The logs tell why: aws logs tail /flowlake/${stage}/latest --since 1h; aws logs tail /flowlake/${stage}/watch --since 1h`
        : undefined;
}

/** What needs a person, where something does. */
export function sayLate({ reader: { of, lateMs, ifLate }, behindMs, logGroup }: LiveLag): string | undefined {
    return behindMs !== undefined && behindMs > lateMs
        ? `${of} is ${sayDuration(behindMs)} behind: ${ifLate}. The log tells why: aws logs tail ${logGroup} --since 1h; then flowlake doctor`
        : undefined;
}
