/** Prints what became of the messages of a simulation. */
import { open } from 'node:fs/promises';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import { readDevice } from '#lake/devices';
import { StorageError, UsageError } from '#lake/errors';
import type { BucketLake, Lake } from '#lake/lake';
import { accountFor, type DeliveryOptions, type DeviceDelivery, percentile } from '#lake/live/delivery';
import { type Journal, readJournal } from '#lake/live/journal';
import { nearestOf } from '#lake/nearest';
import type { Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';

interface DeliveryChoice {
    journal: string | undefined;
    device: string | undefined;
}

const COUNTS = [
    'sent',
    'received',
    'rejected',
    'waiting',
    'unacknowledged',
    'lost',
    'repeated',
    'late',
    'refused',
    'dropped',
] as const satisfies readonly (keyof DeviceDelivery)[];

/** @returns 1 where something is lost. @throws UsageError without a journal, Failure for one without messages */
export async function showDelivery({ journal: path, device }: DeliveryChoice, context: RunContext): Promise<number> {
    if (path === undefined) {
        throw new UsageError('Which journal? Give it as --journal FILE: flowlake simulate writes one, and says its name');
    }
    const journal = only(device, await readJournal(linesOf(path)));
    if (journal.devices.size === 0) {
        throw new Failure(`The journal ${path} has no message that was sent`);
    }
    return useLake(context, async (lake) => {
        await assertOfThisLake(await lake.store(), journal);
        const line = openStatusLine(context.stderr);
        const deliveries = await accountFor({
            store: await lake.store(),
            engine: await lake.engine(),
            journal,
            ...(await onTheWay(lake, journal, context)),
            signal: context.signal,
            onObject: (key) => void line.draw(`Looking into ${key}`),
        }).finally(() => line.clear());
        const rows = [...deliveries.map(rowOf), ...(deliveries.length > 1 ? [rowOf(sumOf(deliveries))] : [])];
        await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
        const { lost, waiting } = sumOf(deliveries);
        if (lost > 0 && lake.kind === 's3') {
            await tellGivenUp(lake, context);
        }
        if (waiting > 0) {
            await context.stderr.write(
                `${sayCount(waiting, 'message is', 'messages are')} on the way to the tables: ask again in a minute\n`,
            );
        }
        return lost > 0 ? 1 : 0;
    });
}

const COLUMNS = [
    { name: 'device', type: 'varchar' },
    ...COUNTS.map((name) => ({ name, type: 'bigint' })),
    ...['latest_p50_ms', 'latest_p99_ms', 'lake_p50_s', 'lake_p99_s'].map((name) => ({ name, type: 'double' })),
];

function rowOf(of: DeviceDelivery): Value[] {
    const latest = [0.5, 0.99].map((share) => percentile(of.toLatest, share) ?? null);
    const lake = [0.5, 0.99].map((share) => {
        const ms = percentile(of.toLake, share);
        return ms === undefined ? null : Math.round(ms / 100) / 10;
    });
    return [of.device, ...COUNTS.map((name) => BigInt(of[name])), ...latest, ...lake];
}

/** All devices as one, named `(all)`: no device has such an id. */
function sumOf(deliveries: readonly DeviceDelivery[]): DeviceDelivery {
    const sum = {
        device: '(all)',
        toLatest: deliveries.flatMap(({ toLatest }) => toLatest),
        toLake: deliveries.flatMap(({ toLake }) => toLake),
    };
    const total = (name: (typeof COUNTS)[number]): number => deliveries.reduce((all, of) => all + of[name], 0);
    return {
        ...sum,
        dropped: total('dropped'),
        sent: total('sent'),
        refused: total('refused'),
        received: total('received'),
        rejected: total('rejected'),
        waiting: total('waiting'),
        unacknowledged: total('unacknowledged'),
        lost: total('lost'),
        repeated: total('repeated'),
        late: total('late'),
    };
}

function only(device: string | undefined, journal: Journal): Journal {
    const messages = device === undefined ? undefined : journal.devices.get(device);
    if (device === undefined) {
        return journal;
    }
    if (!messages) {
        const nearest = nearestOf(device, [...journal.devices.keys()]);
        throw new Failure(`The journal has no message of ${device}${nearest.length > 0 ? `. The nearest: ${nearest.join(', ')}` : ''}`);
    }
    return { ...journal, devices: new Map([[device, messages]]) };
}

/** Lets a journal pass of which some device is registered here. @throws Failure for one of another lake: all of it would be told as lost */
async function assertOfThisLake(store: ObjectStore, { devices }: Journal): Promise<void> {
    for (const device of devices.keys()) {
        if ((await readDevice(store, device)).length > 0) {
            return;
        }
    }
    throw new Failure(
        'No device of the journal is registered in this lake: is it the journal of another one? flowlake device list shows who is',
    );
}

/**
 * What is in no chain yet, and when what is there came into the tables. Where a lake is served, all of its inbox goes into the tables first; a deployed one has the rest in
 * its streams.
 */
async function onTheWay(lake: Lake, { devices }: Journal, { now }: RunContext): Promise<Pick<DeliveryOptions, 'unsealed' | 'inLakeMs'>> {
    if (lake.kind === 's3') {
        const hasStreams = await lake.hasTelemetry();
        return { inLakeMs: new Map(), unsealed: (asked) => (hasStreams ? lake.streamTail({ ...asked, devices }, { now }) : []) };
    }
    const [{ askServe }, { readLive }] = await Promise.all([import('#lake/serve/control'), import('#lake/serve/read-live')]);
    const isServed = (await askServe(lake.directory, 'seal')) !== undefined;
    const { unsealed, inLakeMs } = await readLive(lake.directory, { isServed });
    return { unsealed: () => unsealed, inLakeMs };
}

/** Says where messages may be that no stream and no chain holds. */
async function tellGivenUp(lake: BucketLake, { stderr }: RunContext): Promise<void> {
    if (!(await lake.hasTelemetry())) {
        return;
    }
    const depths = await Promise.all(
        (['givenUpQueue', 'givenUpDeadLetters'] as const).map(async (queue) => (await lake.queue(queue)).depth()),
    );
    const [waiting, dead] = depths.map((depth) => depth.waiting + depth.inFlight);
    if (waiting) {
        await stderr.write(
            `What streams or IoT Core gave up comes by another way, ${sayCount(waiting, 'report')} of it still: ask again in some minutes\n`,
        );
    }
    if (dead) {
        await stderr.write(
            `${sayCount(dead, 'report')} of messages that were given up could not be worked off: flowlake status says what to do\n`,
        );
    }
}

/** The file's lines; the last one is not whole where its end is missing. */
async function* linesOf(path: string): AsyncGenerator<{ text: string; isWhole: boolean }> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
        throw new StorageError(`Cannot read ${path}: ${error.message}`, { cause: error });
    });
    let rest = '';
    for await (const piece of file.createReadStream({ encoding: 'utf8' })) {
        const lines = `${rest}${piece}`.split('\n');
        rest = lines.pop() ?? '';
        for (const text of lines) {
            yield { text, isWhole: true };
        }
    }
    if (rest !== '') {
        yield { text: rest, isWhole: false };
    }
}
