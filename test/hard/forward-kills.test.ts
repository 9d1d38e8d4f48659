/** Two built programs, of which one hands its messages on to the other: either is killed, and the line between them cut. Each message is there once, in order. */
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { listChain } from '#lake/live/chain';
import { messagesOf } from '#lake/live/chain-object';
import { listStreams } from '#lake/live/chain-origins';
import { openDirectoryStore } from '#lake/store/directory';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { openLine } from '#test/support/cuttable-line';
import { collect, runFlowlake, startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { openChance } from './support/flow-texts.ts';

/** How often something is killed or cut. */
const KILLS = Number(process.env.FLOWLAKE_KILLS ?? 60);
const SEED = Number(process.env.FLOWLAKE_SEED ?? Date.now() % 1_000_000);
const DEVICES = 4;

test(`${KILLS} kills of two serves and cuts of the line between them: the other lake has each message once, in order`, async () => {
    console.info(`forward kills: FLOWLAKE_SEED=${SEED}`);
    const chance = openChance(SEED);
    const folder = await makeFolder();
    const [edge, central] = [join(folder, 'edge'), join(folder, 'central')];
    const at = (lake: string, ...words: string[]) => runFlowlake(['--lake', lake, ...words], { folder });
    const ok = async (lake: string, ...words: string[]): Promise<string> => {
        const ran = await at(lake, ...words);
        expect([words.join(' '), ran.exitCode, ran.exitCode === 0 ? '' : ran.stderr]).toEqual([words.join(' '), 0, '']);
        return ran.stdout;
    };
    const [edgePort, centralPort] = [20_000 + chance.below(5_000), 25_000 + chance.below(5_000)];
    const line = await openLine({ to: () => centralPort });
    await ok(central, 'device', 'add', 'gw-1', '--profile', 'plain-json', '--gateway', '--out', 'central-devices');
    const serve = (lake: string, port: number, ...words: string[]) =>
        startFlowlake(['--lake', lake, 'serve', '--mqtt-port', `${port}`, '--http-port', '0', '--seal-every', '1s', ...words], { folder });
    const start = {
        central: () => serve(central, centralPort),
        edge: () => serve(edge, edgePort, '--forward', `mqtts://localhost:${line.port}`, '--forward-as', 'central-devices/gw-1'),
    };
    const running = { central: start.central(), edge: start.edge() };
    await Promise.all([isReady(running.central), isReady(running.edge)]);
    // The simulation registers its devices at the edge; the other lake has to know them too.
    await ok(
        edge,
        'simulate',
        '--devices',
        `${DEVICES}`,
        '--rate',
        '10',
        '--for',
        '1s',
        '--journal',
        'first.jsonl',
        '--credentials',
        'devices',
    );
    await writeFile(join(folder, 'simulated.json'), await ok(edge, 'profile', 'show', 'simulated'));
    await ok(central, 'profile', 'add', 'simulated.json');
    for (const [device, profile] of await devicesOf(edge)) {
        await ok(central, 'device', 'add', device, '--profile', profile);
    }
    const seconds = Math.ceil(KILLS * 2) + 5;
    const simulation = collect(
        startFlowlake(
            [
                '--lake',
                edge,
                'simulate',
                '--devices',
                `${DEVICES}`,
                '--rate',
                '50',
                '--for',
                `${seconds}s`,
                '--journal',
                'sent.jsonl',
                '--credentials',
                'devices',
            ],
            { folder },
        ),
    );
    for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(chance.below(1_500));
        const what = (['edge', 'central', 'line', 'line'] as const)[chance.below(4)] ?? 'line';
        if (what === 'line') {
            if (chance.below(2) === 0) {
                line.cut();
                await sleep(chance.below(500));
            } else {
                line.cutAfter(chance.below(20_000));
                await sleep(500);
            }
            line.restore();
        } else {
            await killed(running[what]);
            running[what] = start[what]();
            await isReady(running[what]);
        }
    }
    const { exitCode, stderr } = await simulation;
    expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, '']);
    line.restore();
    await ok(edge, 'delivery', '--journal', 'sent.jsonl');
    while (!/ 0 chain objects/.test((await at(edge, 'status')).stderr)) {
        await sleep(500);
    }
    for (const process of [running.edge, running.central]) {
        process.kill('SIGINT');
        expect(await new Promise((resolve) => process.once('exit', resolve))).toBe(0);
    }
    await line.close();

    const [sent, received] = [await chainOf(edge), await chainOf(central)];
    const contentOf = ({ sequence: _, origin: __, ...rest }: ChainMessage) => rest;
    expect(received.map(contentOf)).toEqual(sent.map(contentOf));
    expect(received.length).toBeGreaterThan(KILLS * 10);
    for (const journal of ['first.jsonl', 'sent.jsonl']) {
        const rows: Record<string, number>[] = JSON.parse(await ok(central, '--output', 'json', 'delivery', '--journal', journal));
        expect(rows.at(-1)).toMatchObject({ device: '(all)', lost: 0, waiting: 0, unacknowledged: 0, rejected: 0 });
        expect(rows.at(-1)?.received).toBe(rows.at(-1)?.sent);
    }
    await ok(central, 'verify');
});

async function devicesOf(lake: string): Promise<[string, string][]> {
    const ran = await runFlowlake(['--lake', lake, '--output', 'json', 'device', 'list'], { folder: lake });
    const rows: { device: string; profile: string }[] = JSON.parse(ran.stdout);
    return rows.map(({ device, profile }) => [device, profile]);
}

async function chainOf(directory: string): Promise<ChainMessage[]> {
    const store = openDirectoryStore(directory);
    const found: ChainMessage[] = [];
    for (const stream of await listStreams(store)) {
        for (const key of await listChain(store, { stream, shard: '0', behind: '0' })) {
            for await (const message of messagesOf(store, key)) {
                found.push(message);
            }
        }
    }
    return found;
}

function killed(child: ChildProcess): Promise<void> {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Resolves once it listens. */
function isReady(child: ChildProcess): Promise<void> {
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
