/** Counts devices whose last certificate ends soon, and names them: whoever has to visit them needs the time. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { endingSoon, holdingCertificates, NEAR_END_DAYS, readAllCredentials } from '#lake/credentials';
import type { ObjectStore } from '#lake/store/object-store';
import type { Log } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';

/** Devices that a line of the log names. */
const MOST_NAMED = 20;

/** @throws StorageError where credentials cannot be read: then nobody knows, and the alarm for errors rings */
export async function tellEndings({
    store,
    now,
    log,
    metrics,
}: {
    store: ObjectStore;
    now: Date;
    log: Log;
    metrics: MetricSink;
}): Promise<void> {
    const all = await readAllCredentials(store);
    const ending = endingSoon(holdingCertificates(all), { now });
    metrics.addMetric('CertificatesEnding', MetricUnit.Count, ending.length);
    const devices = ending
        .slice(0, MOST_NAMED)
        .map(({ device, notAfter }) => `${device} (${notAfter.toISOString().slice(0, 'yyyy-mm-dd'.length)})`);
    log.info('certificates were looked at', {
        devices: all.length,
        endingWithinDays: NEAR_END_DAYS,
        ending: ending.length,
        named: devices,
    });
}
