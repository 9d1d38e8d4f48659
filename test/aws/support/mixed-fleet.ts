/** A fleet of simulated devices that send as real ones do, each by one way: MQTT with a certificate, HTTP with a token, or PutRecords by a program. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openWay } from '#cli/commands/simulate/open-way';
import type { Way } from '#cli/commands/simulate/way';
import { type DeviceFiles, readDeviceFiles } from '#cli/device-files';
import { SIMULATED_PROFILE } from '#sample/telemetry/simulated';
import type { TelemetryCloud } from './telemetry-cloud.ts';

const WAYS = ['mqtt', 'http', 'program'] as const;
type WayName = (typeof WAYS)[number];

/** How many devices send by each way. */
export type FleetShape = Readonly<Record<WayName, number>>;

export interface MixedFleet {
    /** Ids of all devices. */
    devices: readonly string[];
    wayOf(device: string): WayName;
    /** Sends by each device's own way, and notes what it sent. */
    way: Way;
    /** Every payload that was handed to a way, by device. */
    handed: ReadonlyMap<string, ReadonlySet<string>>;
    /** Those of them that were acknowledged. */
    acknowledged: ReadonlyMap<string, readonly string[]>;
}

/** Registered by the command line, with what each device proves itself by; connected. */
export async function openMixedFleet(telemetry: TelemetryCloud, shape: FleetShape, onTrouble: (why: string) => void): Promise<MixedFleet> {
    const { folder, flowlake } = telemetry;
    const profile = join(folder, 'simulated.json');
    await writeFile(profile, JSON.stringify(SIMULATED_PROFILE));
    await succeed(flowlake(['profile', 'add', profile]));
    const byDevice = new Map<string, WayName>();
    for (const name of WAYS) {
        const devices = Array.from({ length: shape[name] }, (_, index) => `${name}-${String(index + 1).padStart(3, '0')}`);
        const rows = devices.map((device) => `${device},${SIMULATED_PROFILE.name},${name === 'program' ? 'osaka' : 'berlin'}`);
        const file = join(folder, `${name}.csv`);
        await writeFile(file, ['device,profile,site', ...rows, ''].join('\n'));
        await succeed(flowlake(['device', 'import', file, ...CREDENTIALS[name](join(folder, name))]));
        for (const device of devices) {
            byDevice.set(device, name);
        }
    }
    const ways = new Map<WayName, Way>();
    for (const name of WAYS) {
        const devices = [...byDevice].flatMap(([device, of]) => (of === name ? [device] : []));
        if (devices.length > 0) {
            const files = new Map<string, DeviceFiles>();
            for (const device of devices) {
                files.set(device, {
                    ...(await readDeviceFiles(join(folder, name), device)),
                    ...(name === 'mqtt' && { ca: telemetry.iotAuthority }),
                });
            }
            ways.set(name, await openWay({ to: addressOf(name, telemetry), files, environment: telemetry.cloud.environment, onTrouble }));
        }
    }
    const acknowledged = new Map<string, string[]>([...byDevice.keys()].map((device) => [device, []]));
    const handed = new Map<string, Set<string>>([...byDevice.keys()].map((device) => [device, new Set()]));
    const wayOf = (device: string): WayName => byDevice.get(device) ?? 'mqtt';
    return {
        devices: [...byDevice.keys()],
        wayOf,
        handed,
        acknowledged,
        way: {
            async send(device, message) {
                handed.get(device)?.add(message.payload);
                await ways.get(wayOf(device))?.send(device, message);
                acknowledged.get(device)?.push(message.payload);
            },
            async close() {
                await Promise.all([...ways.values()].map((way) => way.close()));
            },
        },
    };
}

const CREDENTIALS: Readonly<Record<WayName, (out: string) => string[]>> = {
    mqtt: (out) => ['--out', out],
    http: (out) => ['--token', '--out', out],
    program: () => ['--program'],
};

function addressOf(name: WayName, { cloud, apiUrl, names }: TelemetryCloud): URL {
    switch (name) {
        case 'mqtt':
            return new URL(`mqtts://localhost:${cloud.mqttPort}`);
        case 'http':
            return apiUrl();
        case 'program':
            return new URL(`kinesis:${names.programStream}`);
    }
}

async function succeed(ran: ReturnType<TelemetryCloud['flowlake']>): Promise<void> {
    const { exitCode, stderr } = await ran;
    if (exitCode !== 0) {
        throw new Error(`ended with ${exitCode}: ${stderr}`);
    }
}
