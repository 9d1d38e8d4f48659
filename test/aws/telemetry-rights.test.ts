/**
 * The deployed lake where IAM is enforced: every role has what it needs, from a device's message by each way to the tables; and a right that is taken away is
 * missed, so that this test could fail.
 */
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { ChainReader } from './support/chain-of.ts';
import { type MixedFleet, openMixedFleet } from './support/mixed-fleet.ts';
import { isSettled, startTelemetryCloud, type TelemetryCloud, waitFor } from './support/telemetry-cloud.ts';

/** The chain waits a minute for more messages. */
const WITHIN_MS = 150_000;

let telemetry: TelemetryCloud;
let fleet: MixedFleet;
let devices: readonly string[];

const messageOf = (device: string, seq: number) => ({
    topic: `t/${device}/telemetry`,
    payload: JSON.stringify({ deviceId: device, ts: Date.now(), boot: 1, seq, temperature: 20 + seq, humidity: 40, battery: 90 }),
});

beforeAll(async () => {
    telemetry = await startTelemetryCloud({ isGuarded: true });
    await telemetry.levers({ 'sqs.fifo_time': 0.02 });
    fleet = await openMixedFleet(telemetry, { mqtt: 1, http: 1, program: 1 }, () => undefined);
    devices = fleet.devices;
    for (const device of devices) {
        await fleet.way.send(device, messageOf(device, 1));
    }
}, 300_000);

afterAll(async () => {
    await fleet?.way.close();
    await telemetry?.stop();
});

test('brings a message by each way into latest state', async () => {
    const client = createDynamoClient({ environment: telemetry.cloud.environment });
    const state = openCloudState({ client, table: telemetry.names.stateTable, now: Date.now });
    const seen = async () => [...(await state.read(devices)).values()].filter(({ metrics }) => metrics.temperature?.value === '21.0');
    await waitFor(async () => (await seen()).length === devices.length, { what: 'all devices are in latest state', withinMs: 60_000 });
}, 90_000);

test('brings them into the chain and the tables', async () => {
    const reader = new ChainReader(telemetry.store);
    await waitFor(
        async () => {
            await reader.look();
            return reader.messages.length >= devices.length;
        },
        { what: 'the chain has the messages', withinMs: WITHIN_MS },
    );
    expect(reader.messages.map(({ device, refused }) => ({ device, refused })).sort()).toEqual(
        [...devices].map((device) => ({ device, refused: undefined })).sort(),
    );
    await waitFor(() => isSettled(telemetry), { what: 'the lake settles', withinMs: WITHIN_MS });
    for (const prefix of ['readings/', 'metric_hours/', 'episodes/']) {
        const keys: string[] = [];
        for await (const { key } of telemetry.store.list(prefix)) {
            keys.push(key);
        }
        expect({ prefix, isThere: keys.length > 0 }).toEqual({ prefix, isThere: true });
    }
}, 400_000);

test('misses a right that is taken away', async () => {
    const { role } = await functionOf('intake');
    const policies = await iam({ Action: 'ListRolePolicies', RoleName: role });
    const names = [...policies.matchAll(/<member>(.*?)<\/member>/g)].map(([, name]) => String(name));
    expect(names.length).toBeGreaterThan(0);
    for (const PolicyName of names) {
        await iam({ Action: 'DeleteRolePolicy', RoleName: role, PolicyName });
    }
    const [http = ''] = devices.filter((device) => fleet.wayOf(device) === 'http');
    const sending = fleet.way.send(http, messageOf(http, 2)).then(
        () => 'taken',
        () => 'refused',
    );
    const given = await Promise.race([sending, new Promise((resolve) => setTimeout(() => resolve('not taken'), 8000))]);
    expect(given).not.toBe('taken');
}, 60_000);

/** A header as of the root of the local account: its name alone is looked at. */
const signed = (service: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

async function functionOf(job: string): Promise<{ role: string }> {
    const path = `/2015-03-31/functions/flowlake-${telemetry.names.stage}-${job}/configuration`;
    const answer = await fetch(`${telemetry.cloud.endpoint}${path}`, { headers: signed('lambda') });
    const { Role } = (await answer.json()) as { Role: string };
    return { role: Role.slice(Role.lastIndexOf('/') + 1) };
}

async function iam(values: Record<string, string>): Promise<string> {
    const answer = await fetch(telemetry.cloud.endpoint, {
        method: 'POST',
        headers: signed('iam'),
        body: new URLSearchParams({ Version: '2010-05-08', ...values }),
    });
    const text = await answer.text();
    if (!answer.ok) {
        throw new Error(`${values.Action}: ${answer.status} ${text}`);
    }
    return text;
}
