/** Plays a fleet against a served lake. */
import type { RunContext } from '#cli/command';
import type { DeviceFiles } from '#cli/device-files';
import { sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import { UsageError } from '#lake/errors';
import { isDeviceId } from '#lake/layout';
import { percentile } from '#lake/live/delivery';
import { parseFaults, simulatedDevices } from '#sample/telemetry/simulated';
import { playFleet, type RunState } from './fleet-run.ts';
import { createJournal } from './journal-file.ts';
import { listen } from './live-events.ts';
import { openWay } from './open-way.ts';
import { prepareDevices } from './prepare.ts';

interface SimulateChoice {
    devices: number;
    device: string | undefined;
    rate: number;
    for: number | undefined;
    seed: number;
    faults: string | undefined;
    to: string | undefined;
    mqtt: string | undefined;
    credentials: string | undefined;
    journal: string | undefined;
    watch: string | undefined;
    token: string | undefined;
}

const DEFAULT_TO = 'mqtts://localhost:8883';
const DEFAULT_CREDENTIALS = 'simulated-devices';
const MQTT_PORT = 8883;
const REDRAW_MS = 200;

/** @returns 0 where all that was sent was acknowledged, 1 where some was not or was refused */
export async function runSimulation(choice: SimulateChoice, context: RunContext): Promise<number> {
    const { stderr, now, signal } = context;
    const { device, seed, rate, for: forMs } = choice;
    if (device !== undefined && !isDeviceId(device)) {
        throw new UsageError(`--device ${JSON.stringify(device)} is no id: letters, digits, dot, dash, underscore and colon`);
    }
    if (choice.watch !== undefined && choice.token === undefined) {
        throw new UsageError('--watch needs --token: the token of readers that serve has printed');
    }
    const fleet = { devices: device === undefined ? simulatedDevices(choice.devices) : [device], seed, faults: parseFaults(choice.faults) };
    const to = await addressOf(choice, context);
    const files = await prepare(fleet.devices, { choice, to, context });
    const path = choice.journal ?? `simulation-${now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}.jsonl`;
    const journal = await createJournal(path);
    const line = openStatusLine(stderr);
    const troubles = new Set<string>();
    const onTrouble = (why: string): void => {
        if (!troubles.has(why)) {
            troubles.add(why);
            void line.say(`${why}; it is tried again`);
        }
    };
    try {
        const ca = [...files.values()].find((one) => one.ca !== undefined)?.ca;
        const listening =
            choice.watch === undefined
                ? undefined
                : await listen({
                      to: urlOf(choice.watch),
                      token: choice.token ?? '',
                      ca,
                      onMessage: (of, message) => journal.note({ event: 'latest', device: of, message, at_ms: Date.now() }),
                      onTrouble,
                  });
        const way = await openWay({ to, files, environment: context.environment, onTrouble });
        try {
            journal.note({ event: 'begin', at_ms: Date.now(), devices: fleet.devices.length, seed, to: to.href });
            let drawnMs = 0;
            const onProgress = (state: RunState): void => {
                if (Date.now() - drawnMs >= REDRAW_MS) {
                    drawnMs = Date.now();
                    void line.draw(`${sayCount(state.sent, 'message')} sent, ${state.acknowledged} acknowledged`);
                }
            };
            const state = await playFleet({ fleet, rate, forMs, way, note: journal.note, onProgress, stop: signal });
            await line.clear();
            await stderr.write(`${summary(state)}; journal: ${path}\n`);
            return state.acknowledged === state.sent && state.refused === 0 ? 0 : 1;
        } finally {
            await way.close();
            listening?.close();
        }
    } finally {
        await line.clear();
        await journal.close();
    }
}

async function prepare(
    devices: readonly string[],
    { choice, to, context }: { choice: SimulateChoice; to: URL; context: RunContext },
): Promise<Map<string, DeviceFiles>> {
    if (to.protocol === 'kinesis:') {
        if (context.lake !== undefined) {
            const { preparePrograms } = await import('./prepare-programs.ts');
            await useLake(context, (lake) => preparePrograms(devices, lake, context));
        }
        return new Map();
    }
    const directory = choice.credentials ?? DEFAULT_CREDENTIALS;
    const by = to.protocol.startsWith('http') ? 'token' : 'certificate';
    if (context.lake?.kind !== 'directory') {
        return prepareDevices({ devices, directory, by, lake: undefined }, context);
    }
    return useLake(
        context,
        async (lake) => prepareDevices({ devices, directory, by, lake: lake.kind === 'directory' ? lake : undefined }, context),
        { mayBeNew: true },
    );
}

/** The address that is said, or the one at which the lake of this machine is served. */
async function addressOf({ to, mqtt }: SimulateChoice, { lake }: Pick<RunContext, 'lake'>): Promise<URL> {
    if (to !== undefined && mqtt !== undefined) {
        throw new UsageError('Give --to or --mqtt: --mqtt HOST is --to mqtts://HOST:8883');
    }
    if (to !== undefined || mqtt !== undefined) {
        return urlOf(to ?? `mqtts://${mqtt?.includes(':') ? mqtt : `${mqtt}:${MQTT_PORT}`}`);
    }
    if (lake?.kind !== 'directory') {
        return urlOf(DEFAULT_TO);
    }
    const { readServing } = await import('#lake/serve/live-files');
    const { host, mqttPort } = readServing(lake.directory);
    return urlOf(`mqtts://${host.includes(':') ? `[${host}]` : host}:${mqttPort}`);
}

function urlOf(text: string): URL {
    if (!URL.canParse(text)) {
        throw new UsageError(
            `${JSON.stringify(text)} is no address: mqtts://localhost:8883, http://localhost:8080, kinesis:flowlake-dev-programs`,
        );
    }
    return new URL(text);
}

function summary({ sent, acknowledged, dropped, refused, delays }: RunState): string {
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(delays, share));
    const times = p50 === undefined ? '' : `, acknowledged in ${p50} ms (p50), ${p99} ms (p99)`;
    const lost = dropped === 0 ? '' : `, ${dropped} never sent`;
    const said = refused === 0 ? '' : `, ${refused} refused`;
    return `Sent ${sayCount(sent, 'message')}, ${acknowledged} acknowledged${said}${lost}${times}`;
}
