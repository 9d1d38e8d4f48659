/**
 * A deployed lake on the local AWS: from a device's publish until its reading stands in DynamoDB, while a fleet sends. The local AWS adds nothing of AWS's own
 * latency (an IoT rule takes some 10 ms there, fan-out some 70), and its processes share this machine with the fleet.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { playFleet } from '#cli/commands/simulate/fleet-run';
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { percentile } from '#lake/live/delivery';
import { parseFaults } from '#sample/telemetry/simulated';
import { ministackMissing } from '#test/aws/support/ministack';
import { openMixedFleet } from '#test/aws/support/mixed-fleet';
import { startTelemetryCloud } from '#test/aws/support/telemetry-cloud';
import type { BenchOptions, Finding } from './measure.ts';

const RATE = 1000;
const GOAL_P99_MS = 100;

/** The first invocations start processes. */
const WARM_UP_MS = 10_000;

export async function* benchCloud({ isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const missing = ministackMissing();
    if (missing !== undefined) {
        yield { what: 'publish to DynamoDB', found: missing };
        return;
    }
    const [devices, probes, rate] = isQuick ? [10, 20, 50] : [50, 400, RATE];
    const telemetry = await startTelemetryCloud();
    try {
        const fleet = await openMixedFleet(telemetry, { mqtt: devices + 1, http: 0, program: 0 }, () => undefined);
        const [probe = '', ...others] = fleet.devices;
        const stop = new AbortController();
        const playing = playFleet({
            fleet: { devices: others, seed: 1, faults: parseFaults(undefined) },
            rate,
            forMs: undefined,
            way: fleet.way,
            note: () => undefined,
            onProgress: () => undefined,
            stop: stop.signal,
        });
        const client = createDynamoClient({ environment: telemetry.cloud.environment });
        const state = openCloudState({ client, table: telemetry.names.stateTable, now: Date.now });
        await wait(WARM_UP_MS);
        const beganMs = Date.now();
        const delays: number[] = [];
        for (let sequence = 1; sequence <= probes; sequence++) {
            const sentMs = Date.now();
            const message = { deviceId: probe, ts: sentMs, boot: 1, seq: sequence, temperature: 21.5 };
            const published = fleet.way.send(probe, { topic: `t/${probe}/telemetry`, payload: JSON.stringify(message) });
            while ((await state.read([probe])).get(probe)?.metrics.temperature?.message !== `1:${sequence}`) {
                await wait(1);
            }
            delays.push(Date.now() - sentMs);
            await published;
        }
        const seconds = (Date.now() - beganMs) / 1000;
        stop.abort();
        const { acknowledged } = await playing;
        await fleet.way.close();
        const [p50 = Number.NaN, p99 = Number.NaN] = [0.5, 0.99].map((share) => percentile(delays, share));
        yield {
            what: `publish to DynamoDB, at ${rate} messages a second`,
            found: `${p50.toFixed(0)} ms (p50), ${p99.toFixed(0)} ms (p99) of ${probes}; ${(acknowledged / (seconds + WARM_UP_MS / 1000)).toFixed(0)} acknowledged a second`,
            goal: { text: `p99 ${GOAL_P99_MS} ms`, isMet: p99 < GOAL_P99_MS },
        };
    } finally {
        await telemetry.stop();
    }
}
