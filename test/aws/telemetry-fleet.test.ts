/**
 * A fleet against the deployed lake: 50 devices over MQTT with certificates, HTTP and PutRecords, while workers are killed, the stream is resharded, records
 * are throttled and poison comes. FLOWLAKE_FLEET_SECONDS and FLOWLAKE_FLEET_RATE make it longer or denser than in CI.
 */
import { join } from 'node:path';
import { playFleet, type RunState } from '#cli/commands/simulate/fleet-run';
import { createJournal } from '#cli/commands/simulate/journal-file';
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { LiveProfiles } from '#lake/live/live-profiles';
import { rebuildState } from '#lake/live/rebuild-state';
import type { DeviceItem } from '#lake/live/state-store';
import { openDuckDb } from '#lake/query/duckdb';
import { openStateDatabase } from '#lake/serve/state-database';
import { openDirectoryStore } from '#lake/store/directory';
import { parseFaults } from '#sample/telemetry/simulated';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { type LocalAthena, startAthena } from './support/athena.ts';
import { ChainReader } from './support/chain-of.ts';
import { type FaultsDone, makeFaults } from './support/fleet-faults.ts';
import { type MixedFleet, openMixedFleet } from './support/mixed-fleet.ts';
import { copyObjects, linesOf, ORIGINS, tablesOf } from './support/same-in-directory.ts';
import { hideMessagesFor, isSettled, startTelemetryCloud, type TelemetryCloud, waitFor } from './support/telemetry-cloud.ts';
import { trinoMissing } from './support/trino.ts';

const SECONDS = Number(process.env.FLOWLAKE_FLEET_SECONDS ?? 60);
const RATE = Number(process.env.FLOWLAKE_FLEET_RATE ?? 500);
const SHAPE = { mqtt: 36, http: 4, program: 10 };
const FAULTS = parseFaults('loss=0.002,repeat=0.01,late=0.005,reset=0.0005,skew=0.05');

/** Parts of hours wait 6 minutes on AWS before they are merged; here some seconds, and repeats of messages are dropped for as much less. */
const FIFO_TIME = 0.02;

/** The last part of the time is without faults. */
const CALM_FROM = 0.8;

/** Tables by which both lakes are compared. */
const TABLES = ['readings', 'metric_hours', 'episodes', 'devices'];

const missing = trinoMissing();

let telemetry: TelemetryCloud;
let fleet: MixedFleet;
let sent: RunState;
let faults: FaultsDone;
let directory: string;
let journal: string;
const chain: { reader?: ChainReader } = {};

beforeAll(async () => {
    telemetry = await startTelemetryCloud();
    await telemetry.levers({ 'sqs.fifo_time': FIFO_TIME });
    await hideMessagesFor(20, telemetry);
    const troubles: string[] = [];
    fleet = await openMixedFleet(telemetry, SHAPE, (why) => troubles.push(why));
    journal = join(telemetry.folder, 'sent.jsonl');
    const file = await createJournal(journal);
    file.note({ event: 'begin', at_ms: Date.now(), devices: fleet.devices.length, seed: 1, to: 'aws' });
    try {
        [sent, faults] = await Promise.all([
            playFleet({
                fleet: { devices: fleet.devices, seed: 1, faults: FAULTS },
                rate: RATE,
                forMs: SECONDS * 1000,
                way: fleet.way,
                note: file.note,
                onProgress: () => undefined,
                stop: new AbortController().signal,
            }),
            makeFaults({ telemetry, way: fleet.way, device: 'mqtt-001', forMs: SECONDS * 1000 * CALM_FROM }),
        ]);
    } finally {
        await file.close();
        await fleet.way.close();
    }
    const reader = new ChainReader(telemetry.store);
    chain.reader = reader;
    const due = [...fleet.acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
    await waitFor(
        async () => {
            await reader.look();
            const there = payloadsIn(reader);
            return [...fleet.acknowledged.values()].flat().every((payload) => there.has(payload));
        },
        { what: `${due} acknowledged messages are in the chain`, withinMs: 240_000 },
    ).catch(() => undefined);
    await waitFor(() => isSettled(telemetry), { what: 'the lake settles', withinMs: 240_000 });
    directory = join(await makeFolder(), 'lake');
    await copyObjects(telemetry.store, ORIGINS, directory);
    const { exitCode, stderr } = await runFlowlake('--lake . reconcile', { folder: directory });
    if (exitCode !== 0) {
        throw new Error(`the directory lake cannot be brought up: ${stderr}`);
    }
}, 900_000);

afterAll(async () => {
    await telemetry?.stop();
});

function payloadsIn({ messages }: ChainReader): Set<string> {
    return new Set(messages.map(({ payload }) => payload.toString()));
}

test('sent as much as it should, by every way, and met every fault', () => {
    expect(sent.sent).toBeGreaterThan(0.9 * RATE * SECONDS);
    const heard = new Set([...fleet.acknowledged].filter(([, payloads]) => payloads.length > 0).map(([device]) => fleet.wayOf(device)));
    expect([...heard].sort()).toEqual(['http', 'mqtt', 'program']);
    expect(Object.values(faults.kills).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(SECONDS / 3);
    expect(faults.poison).toBeGreaterThan(0);
});

test('has every acknowledged message in its chain, and nothing that nobody sent', () => {
    const messages = chain.reader?.messages ?? [];
    const inChain = new Map<string, Set<string>>();
    for (const { device = '', payload, refused } of messages) {
        if (refused === undefined) {
            inChain.set(device, (inChain.get(device) ?? new Set()).add(payload.toString()));
        }
    }
    for (const [device, payloads] of fleet.acknowledged) {
        const there = inChain.get(device) ?? new Set();
        expect({ device, lost: payloads.filter((payload) => !there.has(payload)).length }).toEqual({ device, lost: 0 });
        expect({ device, unknown: [...there].filter((payload) => !fleet.handed.get(device)?.has(payload)).length }).toEqual({
            device,
            unknown: 0,
        });
    }
    expect(messages.filter(({ refused }) => refused !== undefined).length).toBeGreaterThan(0);
});

test('has the rows of a directory lake that was fed with the same messages, digit by digit', async () => {
    const copy = join(await makeFolder(), 'copy');
    await copyObjects(telemetry.store, ['readings/', 'metric_hours/', 'episodes/', 'devices/', 'ledger/', 'messages_rejected/'], copy);
    const [deployed, here] = [await tablesOf(copy, TABLES), await tablesOf(directory, TABLES)];
    for (const table of TABLES) {
        const [there, own] = [linesOf(deployed.get(table) ?? []), linesOf(here.get(table) ?? [])];
        expect({ table, first: there.find((line, at) => line !== own[at]) }).toEqual({ table, first: undefined });
        expect({ table, rows: there.length }).toEqual({ table, rows: own.length });
        expect({ table, rows: there.length > 0 }).toEqual({ table, rows: true });
    }
    const rejects = 'select source, line_number, metric, reason, line from messages_rejected order by all';
    const [there, own] = await Promise.all([copy, directory].map((lake) => askOf(lake, rejects)));
    expect(there).toEqual(own);
    expect(there?.filter((line) => line.includes('"turn')).length).toBeGreaterThan(0);
});

async function askOf(lake: string, sql: string): Promise<string[]> {
    const engine = await openDuckDb({ directory: lake });
    try {
        const { batches } = await engine.query(sql);
        const lines: string[] = [];
        for await (const batch of batches) {
            lines.push(...batch.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value))));
        }
        return lines;
    } finally {
        await engine.close();
    }
}

test('has the latest state that follows from those rows, digit by digit', async () => {
    const client = createDynamoClient({ environment: telemetry.cloud.environment });
    const now = () => Date.now();
    const deployed = await openCloudState({ client, table: telemetry.names.stateTable, now }).read(fleet.devices);
    const state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    const engine = await openDuckDb({ directory });
    try {
        const store = openDirectoryStore(directory);
        const profiles = new LiveProfiles({ store, monotonicMs: () => performance.now(), onFault: () => undefined });
        await rebuildState({ store, engine, profiles, state, inLake: { stream: 'none', sequence: '0' }, nowMs: Date.now() });
        const own = await state.read(fleet.devices);
        for (const device of fleet.devices) {
            expect({ device, ...shownOf(deployed.get(device)) }).toEqual({ device, ...shownOf(own.get(device)) });
        }
    } finally {
        await engine.close();
        state.close();
    }
});

/** What latest state is asked for; how often something was seen belongs to who saw it. */
function shownOf(item: DeviceItem | undefined): object {
    return {
        metrics: item?.metrics,
        site: item?.site,
        profile: item?.profile,
        lastAtMs: item?.lastAtMs,
        open: item?.open.map(({ rule, kind, began_ms, worst }) => ({ rule, kind, began_ms, worst })),
    };
}

(missing === undefined ? describe : describe.skip)(
    `asked by SQL through the catalog as deployed${missing === undefined ? '' : `: ${missing}`}`,
    () => {
        let athena: LocalAthena;

        beforeAll(async () => {
            athena = await startAthena({ bucket: telemetry.bucket, environment: telemetry.cloud.environment });
        }, 240_000);

        afterAll(() => athena?.stop());

        const onS3 = (words: readonly string[]) => telemetry.flowlake(words, { AWS_ENDPOINT_URL_ATHENA: athena.url });

        test('delivery accounts for every message: none is lost', async () => {
            const { exitCode, stdout, stderr } = await onS3(['--output', 'json', 'delivery', '--journal', journal]);
            if (stdout === '') {
                throw new Error(`delivery ended with ${exitCode}: ${stderr}`);
            }
            const all = JSON.parse(stdout).at(-1);
            expect({ exitCode, stderr, all }).toMatchObject({
                exitCode: 0,
                all: { device: '(all)', sent: sent.sent, lost: 0, waiting: 0, rejected: 0 },
            });
        });

        const SUMS = `select cast(day as varchar) as day, device, metric, count(*) as n, sum(cast(value * 1000000000 as decimal(38, 0))) as units, sum(copies) as copies
        from readings group by 1, 2, 3 order by 1, 2, 3`;

        test.each([SUMS, 'select * from metric_hours order by 1, 2, 3, 4, 5', 'select * from episodes order by 1, 2, 3, 4, 5, 6'])(
            '%s',
            async (sql) => {
                const there = await onS3(['--output', 'json', 'query', sql]);
                const here = await runFlowlake(['--lake', '.', '--output', 'json', 'query', sql], { folder: directory });
                expect(JSON.parse(here.stdout).length).toBeGreaterThan(0);
                expect(there.stdout).toBe(here.stdout);
            },
        );
    },
);
