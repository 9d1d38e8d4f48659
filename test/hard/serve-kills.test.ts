/** The built program that serves a lake, killed while devices send: what was acknowledged is in the tables, once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { readDeviceFiles } from '#cli/device-files';
import { runFlowlake, startFlowlake } from '#test/support/flowlake';
import { openChance } from './support/flow-texts.ts';

/** How often it is killed; `FLOWLAKE_KILLS=5000` for a night of it. */
const KILLS = Number(process.env.FLOWLAKE_KILLS ?? 200);
const SEED = Number(process.env.FLOWLAKE_SEED ?? Date.now() % 1_000_000);

const DEVICES = Array.from({ length: 8 }, (_, index) => `sensor-${index + 1}`);
const PROFILE = 'plain-json';
/** Messages of a device that are under way at once. */
const IN_FLIGHT = 5;

test(`${KILLS} kills of serve under load lose no message that was acknowledged`, async () => {
    console.info(`serve kills: FLOWLAKE_SEED=${SEED}`);
    const chance = openChance(SEED);
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-serve-kills-'));
    const lake = join(folder, 'lake');
    const flowlake = (...words: string[]) => runFlowlake(['--lake', lake, ...words], { folder });
    for (const device of DEVICES) {
        expect(await flowlake('device', 'add', device, '--profile', PROFILE, '--out', join(folder, 'devices'))).toMatchObject({
            exitCode: 0,
        });
    }
    const [mqttPort, httpPort] = [20_000 + chance.below(10_000), 30_000 + chance.below(10_000)];
    const ports = ['--mqtt-port', `${mqttPort}`, '--http-port', `${httpPort}`];
    const serve = () => startFlowlake(['--lake', lake, 'serve', ...ports, '--seal-every', '2s'], { folder });
    let serving = serve();
    await isReady(serving);

    const isOver = new AbortController();
    const acknowledged = new Map<string, Set<number>>(DEVICES.map((device) => [device, new Set()]));
    const clients = await Promise.all(DEVICES.map((device) => connect(device, { folder, port: mqttPort })));
    const sending = Promise.all(
        clients.flatMap((client, index) => {
            const device = DEVICES[index] ?? '';
            let next = 0;
            return Array.from({ length: IN_FLIGHT }, async () => {
                while (!isOver.signal.aborted) {
                    next += 1;
                    await sendUntilAcknowledged(client, { device, n: next, acknowledged, isOver: isOver.signal });
                    await sleep(2);
                }
            });
        }),
    );
    for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(chance.below(1200));
        serving.kill('SIGKILL');
        await new Promise((resolve) => serving.once('exit', resolve));
        serving = serve();
        await isReady(serving);
    }
    await sleep(1000);
    isOver.abort();
    await sending;
    await Promise.all(clients.map((client) => client.endAsync(true)));
    serving.kill('SIGINT');
    expect(await new Promise((resolve) => serving.once('exit', resolve))).toBe(0);

    const answer = await flowlake(
        'query',
        "select device, message, cast(value as bigint) as n from readings where metric = 'n'",
        '--output',
        'csv',
    );
    const rows = answer.stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(','));
    const inTables = new Map<string, number[]>();
    for (const [device = '', , n] of rows) {
        inTables.set(device, [...(inTables.get(device) ?? []), Number(n)]);
    }
    for (const [device, known] of acknowledged) {
        const found = inTables.get(device) ?? [];
        expect(found.length).toBe(new Set(found).size);
        expect([...known].filter((n) => !found.includes(n))).toEqual([]);
        expect(known.size).toBeGreaterThan(KILLS);
    }
    expect(await flowlake('verify')).toMatchObject({ exitCode: 0 });
    await rm(folder, { recursive: true, force: true });
});

async function sendUntilAcknowledged(
    client: MqttClient,
    { device, n, acknowledged, isOver }: { device: string; n: number; acknowledged: Map<string, Set<number>>; isOver: AbortSignal },
): Promise<void> {
    for (;;) {
        const isSent = await client
            .publishAsync(`t/${device}/telemetry`, JSON.stringify({ n, ts: 1_767_607_200_000 + n }), { qos: 1 })
            .then(
                () => true,
                () => false,
            );
        if (isSent) {
            acknowledged.get(device)?.add(n);
            return;
        }
        if (isOver.aborted) {
            return;
        }
        await sleep(100);
    }
}

async function connect(device: string, { folder, port }: { folder: string; port: number }): Promise<MqttClient> {
    const { certificate, key, ca } = await readDeviceFiles(join(folder, 'devices'), device);
    const client = mqtt.connect({
        ...{ protocol: 'mqtts', host: 'localhost', port, clientId: device, clean: false, reconnectPeriod: 100 },
        ...{ cert: certificate ?? '', key: key ?? '', ca: ca ?? '' },
    });
    // It connects again by itself.
    client.on('error', () => undefined);
    return client;
}

/** Resolves once it listens. */
function isReady(child: ReturnType<typeof startFlowlake>): Promise<void> {
    return new Promise((resolve, reject) => {
        let said = '';
        child.stderr?.on('data', (piece: Buffer) => {
            said += piece.toString();
            if (said.includes('Ctrl-C ends it')) {
                resolve();
            }
        });
        child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said}`)));
    });
}
