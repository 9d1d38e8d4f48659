/** Judges a deployment: every check, in the order in which one rests on the other. */

import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import { kinds, tables } from '#lake/kinds';
import { pathOfView, readView, VIEW_NAMES } from '#lake/query/sql-files';
import { type AwsFacts, type JobPart, type LakeFacts, type QueuePart, stackOf } from './aws-facts.ts';
import { judgeBucket, judgeNotifications, judgePlace, judgeTags } from './bucket-findings.ts';
import type { CatalogTable } from './catalog-facts.ts';
import { judgeClock, judgeOlderFigures, judgeRange, judgeStrays } from './day-findings.ts';
import { judgeDeployed } from './deployed-findings.ts';
import { judgeDevices } from './device-findings.ts';
import { type Finding, judge, problem } from './finding.ts';
import { judgeIdentity, judgeRegion } from './identity-findings.ts';
import { judgeJob } from './job-findings.ts';
import { judgeDeadLetters, judgeQueue } from './queue-findings.ts';
import { judgeSources } from './source-findings.ts';
import { judgeTable } from './table-findings.ts';
import { judgeView } from './view-findings.ts';
import { judgeWorkgroup } from './workgroup-findings.ts';

export function judgeDeployment({ bucket, region, identity, place, lake }: AwsFacts, { now }: { now: Date }): Finding[] {
    return [
        ...judgeIdentity(identity),
        ...judgeRegion({ own: region, bucket: place }),
        ...judgePlace(bucket, place),
        ...(lake ? judgeLake(lake, { bucket, now }) : []),
    ];
}

function judgeLake(lake: LakeFacts, { bucket, now }: { bucket: string; now: Date }): Finding[] {
    const { setUp, days, olderFigures, sources, deployment, deployed, jobs, workgroup, catalog } = lake;
    const stage = deployment.stage === undefined ? '' : ` -c stage=${deployment.stage}`;
    // A deployment changes what its template changes. What was changed by hand it leaves, unless it is told not to.
    const redeploy = `npx cdk deploy${stage} --revert-drift`;
    return [
        ...judgeTags(bucket, setUp.tags),
        ...judgeBucket(bucket, setUp, { redeploy }),
        ...judgeNotifications(setUp.notifications, { queue: deployment.summarizeQueue, redeploy }),
        ...judgeQueues(lake, { bucket, redeploy }),
        ...(deployed ? judgeDeployed(deployed, { stack: stackOf({ stage: deployment.stage ?? '' }), redeploy }) : [unnamed('stack')]),
        ...JOBS.flatMap(({ part, check, ifMissing }) => {
            const job = jobs[part];
            return job ? judgeJob(job, { check, name: deployment[part] ?? '', ifMissing, redeploy }) : [unnamed(check)];
        }),
        ...(workgroup ? judgeWorkgroup(workgroup, { name: deployment.workgroup ?? '', bucket, redeploy }) : [unnamed('workgroup')]),
        ...(catalog
            ? judge('database', catalog, {
                  missing: () => problem('database', `there is no Glue database ${deployment.database}`, redeploy),
                  found: (found) => judgeCatalog(found, { lake, bucket, redeploy, now }),
              })
            : [unnamed('database')]),
        ...judgeSources(sources),
        ...judgeOlderFigures(olderFigures),
        ...[...days].flatMap(([table, answer]) => judgeStrays(answer, { table, isEveryFileRead: true })),
        ...judgeClock(days, now),
        ...(lake.devices ? judgeDevices(lake.devices, { now, redeploy }) : []),
    ];
}

interface CheckedQueue {
    part: QueuePart;
    deadLetters: QueuePart;
    check: string;
    isFifo: boolean;
    minDelaySeconds?: number;
}

const QUEUES: readonly CheckedQueue[] = [
    { part: 'summarizeQueue', deadLetters: 'summarizeDeadLetters', check: 'summarize', isFifo: false },
    { part: 'consolidateQueue', deadLetters: 'consolidateDeadLetters', check: 'consolidate', isFifo: true },
];

const TELEMETRY_QUEUES: readonly CheckedQueue[] = [
    { part: 'hoursQueue', deadLetters: 'hoursDeadLetters', check: 'hours', isFifo: true, minDelaySeconds: HOURS_DELAY_SECONDS },
    { part: 'givenUpQueue', deadLetters: 'givenUpDeadLetters', check: 'given-up', isFifo: false },
];

const JOBS: readonly { part: JobPart; check: string; ifMissing: string }[] = [
    { part: 'consolidateDaysJob', check: 'consolidate-days job', ifMissing: 'days that are too large for a Lambda stay as they are' },
    { part: 'exportFeaturesJob', check: 'export-features job', ifMissing: 'nothing writes features' },
];

function judgeQueues({ queues, deployment, telemetry }: LakeFacts, { bucket, redeploy }: { bucket: string; redeploy: string }): Finding[] {
    const names: Partial<Record<QueuePart, string>> = { ...deployment, ...telemetry?.names };
    return [...QUEUES, ...(telemetry ? TELEMETRY_QUEUES : [])].flatMap(({ part, deadLetters, check, ...expected }) => {
        const queue = queues[part];
        const dead = queues[deadLetters];
        const common = { ...expected, redeploy };
        const told = part === 'summarizeQueue' ? { toldByBucket: bucket } : {};
        return [
            ...(queue
                ? judgeQueue(queue, {
                      ...common,
                      ...told,
                      check: `${check} queue`,
                      name: names[part] ?? '',
                      deadLetters: names[deadLetters],
                  })
                : [unnamed(`${check} queue`)]),
            ...(dead
                ? judgeDeadLetters(dead, { ...common, check: `${check} dead letters`, name: names[deadLetters] ?? '' })
                : [unnamed(`${check} dead letters`)]),
        ];
    });
}

interface CatalogContext {
    lake: LakeFacts;
    bucket: string;
    redeploy: string;
    now: Date;
}

function judgeCatalog(found: ReadonlyMap<string, CatalogTable>, { lake, bucket, redeploy, now }: CatalogContext): Finding[] {
    const { days, deployment } = lake;
    // Contributions have the days of the table that they are merged into.
    const projected = kinds.flatMap(({ merged, contributions }) =>
        [merged, contributions].map(({ name }) => ({ name, answer: days.get(merged) })),
    );
    const ranges = projected.flatMap(({ name, answer }) => {
        const range = found.get(name)?.parameters['projection.day.range'];
        return answer !== undefined && range !== undefined
            ? judge(`days of ${name}`, answer, {
                  missing: () => problem(`days of ${name}`, 'none', redeploy),
                  found: (facts) => [judgeRange(facts, { table: name, range, now })],
              })
            : [];
    });
    return [
        ...tables.map((table) => judgeTable(found.get(table.name), { table, bucket, redeploy })),
        ...VIEW_NAMES.map((name) =>
            judgeView(found.get(name), {
                name,
                path: pathOfView(name),
                sql: readView(name),
                database: deployment.database ?? '',
                redeploy,
            }),
        ),
        ...ranges,
    ];
}

/** The finding for a part whose name stands nowhere; the finding on the tags says what to do. */
function unnamed(check: string): Finding {
    return { check, result: 'could not check', found: 'its name is not known', todo: "put the bucket's tags right first" };
}
