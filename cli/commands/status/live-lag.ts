/** How far the readers of a deployed lake's streams are behind, in words. */
import { sayDuration } from '#cli/draw/quantity';
import type { BucketLake } from '#lake/lake';
import { PIPELINE_LATE_MS } from '#lake/live/device-state';
import type { LiveLag } from '#lake/reports/live-lag';

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
