/** How far each stage between a device, or a file, and the tables is behind. */
import type { BucketLake, DirectoryLake, Lake } from '#lake/lake';
import type { Lag, Stage } from '#lake/pages/page';

/** @throws StorageError where a server or a queue cannot be asked */
export function readLag(lake: Lake, { now }: { now: Date }): Promise<Lag> {
    return lake.kind === 'directory' ? lagOfDirectory(lake) : lagOfBucket(lake, { now });
}

async function lagOfDirectory({ directory }: DirectoryLake): Promise<Lag> {
    const { LATEST_LATE_MS, readLiveStatus } = await import('#lake/serve/live-status');
    const live = await readLiveStatus(directory);
    if (live.is === 'never served') {
        return { is: live.is, stages: [] };
    }
    if (live.is === 'not served') {
        const why = live.unsealed > 0 ? 'nobody serves this lake, and these are in no table: flowlake serve' : null;
        return { is: live.is, stages: [{ what: 'inbox', behindMs: null, waiting: live.unsealed, why }] };
    }
    const { latest, sealing, forwarding, inboxProblem } = live.status;
    const stages: Stage[] = [
        { what: 'inbox', behindMs: null, waiting: null, why: inboxProblem },
        {
            what: 'latest state',
            behindMs: latest.behindMs,
            waiting: null,
            why: latest.fault ?? (latest.behindMs > LATEST_LATE_MS ? 'it stands still: the log of serve says more' : null),
        },
        {
            what: 'tables',
            behindMs: sealing.lagMessages > 0 ? sealing.lagMs : null,
            waiting: sealing.lagMessages,
            why: sealing.faults[0] ? `${sealing.faults[0].what}: ${sealing.faults[0].message}; it is tried again` : null,
        },
    ];
    if (forwarding) {
        stages.push({
            what: `handing on to ${forwarding.to}`,
            behindMs: null,
            waiting: forwarding.objectsBehind,
            why: forwarding.lastError,
        });
    }
    return { is: live.is, stages: stages };
}

async function lagOfBucket(lake: BucketLake, { now }: { now: Date }): Promise<Lag> {
    const { readQueues } = await import('#lake/reports/queue-status');
    const queues = (await readQueues(lake, { now })).map(
        ({ queue, worker, waiting, inFlight, oldestSeconds, deadLetters }): Stage => ({
            what: `${queue} queue`,
            behindMs: oldestSeconds === undefined ? null : oldestSeconds * 1000,
            waiting: waiting + inFlight,
            why:
                deadLetters === 0
                    ? null
                    : `${deadLetters} could not be worked off: the log of the ${worker} function tells why; mend it, then flowlake redrive`,
        }),
    );
    if (!(await lake.hasTelemetry()) || (await lake.telemetry()).names.apiUrl === undefined) {
        return { is: 'deployed', stages: queues };
    }
    const { readLiveLags } = await import('#lake/reports/live-lag');
    const readers = (await readLiveLags(lake, { now })).map(
        ({ reader: { of, lateMs, ifLate }, behindMs, logGroup }): Stage => ({
            what: of,
            behindMs: behindMs ?? null,
            waiting: null,
            why:
                behindMs !== undefined && behindMs > lateMs
                    ? `${ifLate}: aws logs tail ${logGroup} --since 1h; then flowlake doctor`
                    : null,
        }),
    );
    return { is: 'deployed', stages: [...queues, ...readers] };
}
