/** What goes wrong while a fleet sends: workers die, the stream is resharded, records are throttled, and some of what comes is no message. */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Way } from '#cli/commands/simulate/way';
import { attempt, lambdaWorkers } from './lambda-workers.ts';
import type { TelemetryCloud } from './telemetry-cloud.ts';

/** One kill so often. */
const KILL_EVERY_MS = 1500;
const POISON_EVERY_MS = 700;

/** Every so many-th record is throttled, in the middle of the run. */
const THROTTLE_EVERY = 40;

export interface FaultsDone {
    /** Workers that were killed, by the name of their function. */
    kills: Record<string, number>;
    /** Records that were put into the stream by nobody’s way in. */
    poison: number;
    /** Payloads that devices sent and no profile can read. */
    garbage: string[];
}

export interface FaultsOptions {
    telemetry: TelemetryCloud;
    way: Way;
    /** A device that also sends garbage. */
    device: string;
    forMs: number;
}

/** Lets them happen for the time. @returns what was done, when all is as it was */
export async function makeFaults({ telemetry, way, device, forMs }: FaultsOptions): Promise<FaultsDone> {
    const done: FaultsDone = { kills: {}, poison: 0, garbage: [] };
    const { names } = telemetry;
    const endMs = Date.now() + forMs;
    const scale = (TargetShardCount: number) => telemetry.act('scale-on-demand-stream', { StreamName: names.stream, TargetShardCount });
    const until = async (share: number): Promise<void> => {
        await sleep(Math.max(0, endMs - forMs * (1 - share) - Date.now()));
    };
    const steps = async (): Promise<void> => {
        await until(0.2);
        await scale(8);
        await until(0.3);
        await telemetry.levers({ 'kinesis.throttle_every': THROTTLE_EVERY });
        await until(0.5);
        await telemetry.levers({ 'kinesis.throttle_every': 0 });
        await until(0.6);
        await scale(4);
    };
    const kill = async (): Promise<void> => {
        for (let turn = 0; Date.now() < endMs; turn++) {
            await sleep(KILL_EVERY_MS);
            const workers = lambdaWorkers(telemetry.folder);
            const functions = [...new Set(workers.map(({ name }) => name))].sort();
            const victims = workers.filter(({ name }) => name === functions[turn % functions.length]);
            const victim = victims[turn % Math.max(1, victims.length)];
            if (victim && attempt(() => process.kill(victim.pid, 'SIGKILL'))) {
                done.kills[victim.name] = (done.kills[victim.name] ?? 0) + 1;
            }
        }
    };
    const client = new KinesisClient({ endpoint: telemetry.cloud.endpoint, region: 'us-east-1', requestHandler: new NodeHttpHandler() });
    const poison = async (): Promise<void> => {
        for (let turn = 0; Date.now() < endMs; turn++) {
            await sleep(POISON_EVERY_MS);
            const data = POISON[turn % POISON.length]?.() ?? Buffer.alloc(0);
            const put = new PutRecordCommand({ StreamName: names.stream, PartitionKey: `nobody-${turn % 5}`, Data: data });
            // It may be throttled: then it is none.
            await client.send(put).then(
                () => {
                    done.poison += 1;
                },
                () => undefined,
            );
            const garbage = `{"deviceId": "${device}", "turn": ${turn}, "temperature": `;
            await way.send(device, { topic: `t/${device}/telemetry`, payload: garbage });
            done.garbage.push(garbage);
        }
    };
    await Promise.all([steps(), kill(), poison()]);
    return done;
}

/** Records that no way in of the lake writes. */
const POISON: readonly (() => Buffer)[] = [
    () => randomBytes(200),
    () => Buffer.from('null'),
    () => Buffer.from('{"data": 7, "topic": [], "at": "yesterday"}'),
    () => Buffer.from('{"way": "http", "device": "../../etc", "topic": "t", "headers": {}, "at": 1, "data": "!!"}'),
    () => Buffer.from('\u{1f642}'.repeat(50_000)),
    // The beginning of an aggregated record of the producer library, and then nothing of it.
    () => Buffer.concat([Buffer.from('f3899ac2', 'hex'), randomBytes(64)]),
];
