/** A served lake under load, beside what the machine itself can, and beside mosquitto with the same clients. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { askServe } from '#lake/serve/control';
import { type BenchOptions, type Finding, median } from './measure.ts';
import type { LoadOptions, LoadResult } from './mqtt-load.ts';
import { PROGRAM } from './run-program.ts';

const LOAD = fileURLToPath(new URL('mqtt-load.ts', import.meta.url));
const HOST = '127.0.0.1';
const MOSQUITTO_PORT = 18_883;
/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** How long silent devices are watched. */
const IDLE_MS = 10_000;

const GOALS = { perCore: 10_000, latestP99Ms: 50, connectedMb: 300, stormSeconds: 30, onDemandSeconds: 5 };

interface Server {
    port: number;
    process: ChildProcess;
    /** Reader token of a served lake. */
    token: string | undefined;
    httpUrl: string | undefined;
    stop(): Promise<void>;
}

export async function* benchLive({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const [devices, connected, seconds, rounds] = isQuick ? [20, 100, 2, 1] : [50, 5000, 10, 5];
    const lake = join(folder, 'live');
    const credentials = join(folder, 'live-devices');
    yield { what: 'the machine: fdatasync of 4 kB a second', found: countSyncs(folder).toFixed(0) };
    yield { what: 'the machine: ECDSA P-256 a second', found: countSignatures() };

    const ids = Array.from({ length: Math.max(devices, connected) }, (_, index) => `sim-${String(index + 1).padStart(4, '0')}`);
    const served = await startServe(lake);
    try {
        runProgram([
            '--lake',
            lake,
            'simulate',
            '--devices',
            String(ids.length),
            '--rate',
            '1',
            '--for',
            '10ms',
            '--credentials',
            credentials,
            '--journal',
            join(folder, 'prepared.jsonl'),
        ]);
        const load = { devices: ids.slice(0, devices), credentials, inFlight: 20, seconds };
        const mosquitto = await startMosquitto(folder, lake);
        try {
            const ours: Loaded[] = [];
            const theirs: Loaded[] = [];
            for (let round = 0; round <= rounds; round += 1) {
                const one = await loadServer(served, load);
                const other = mosquitto && (await loadServer(mosquitto, load));
                if (round > 0) {
                    ours.push(one);
                    theirs.push(...(other ? [other] : []));
                }
            }
            const perCore = median(ours.map(({ perCpuSecond }) => perCpuSecond));
            const peer =
                theirs.length === 0
                    ? 'mosquitto is not here: apt-get install mosquitto'
                    : `mosquitto 2 with persistence ${median(theirs.map(({ perCpuSecond }) => perCpuSecond)).toFixed(0)}`;
            yield {
                what: `acknowledged messages (QoS 1) a second of CPU`,
                found: `${perCore.toFixed(0)}, latest state and tables included  (${peer})`,
                goal: { text: `${GOALS.perCore}`, isMet: perCore >= GOALS.perCore },
            };
            const perSecond = (loaded: readonly Loaded[]): number => median(loaded.map(({ perSecond: rate }) => rate));
            yield {
                what: 'acknowledged messages (QoS 1) a second',
                found: `${perSecond(ours).toFixed(0)}, each on the disk before  (${theirs.length === 0 ? 'no mosquitto' : `mosquitto ${perSecond(theirs).toFixed(0)}, in memory`})`,
                ...(theirs.length > 0 && { goal: { text: "mosquitto's", isMet: perSecond(ours) >= perSecond(theirs) } }),
            };
        } finally {
            await mosquitto?.stop();
        }
        yield await measureLatest(lake, served, { folder, credentials, seconds });
        yield await measureSealing(lake, served, load);
    } finally {
        await served.stop();
    }
    // Anew, so that nothing is counted that the load before has left.
    const idle = await startServe(lake);
    try {
        yield* await measureConnected(idle, { devices: ids.slice(0, connected), credentials, inFlight: 1, seconds: 1, isIdle: true });
    } finally {
        await idle.stop();
    }
}

interface Loaded {
    perSecond: number;
    perCpuSecond: number;
}

async function loadServer({ port, process: { pid = 0 } }: Server, load: Omit<LoadOptions, 'port'>): Promise<Loaded> {
    const before = cpuSecondsOf(pid);
    const { acknowledged, seconds } = await runLoad({ ...load, port });
    return { perSecond: acknowledged / seconds, perCpuSecond: acknowledged / (cpuSecondsOf(pid) - before) };
}

/** From sending to the live event, at a thousand messages a second. */
async function measureLatest(
    lake: string,
    { port, httpUrl = '', token = '' }: Server,
    { folder, credentials, seconds }: { folder: string; credentials: string; seconds: number },
): Promise<Finding> {
    const journal = join(folder, 'latest.jsonl');
    const address = ['--to', `mqtts://localhost:${port}`, '--watch', httpUrl, '--token', token];
    const words = ['--devices', '20', '--rate', '1000', '--for', `${seconds}s`, '--credentials', credentials, '--journal', journal];
    runProgram(['--lake', lake, 'simulate', ...words, ...address]);
    const answer = runProgram(['--lake', lake, 'delivery', '--journal', journal, '--output', 'json']);
    const all = JSON.parse(answer).at(-1) as { sent: number; received: number; lost: number; latest_p50_ms: number; latest_p99_ms: number };
    return {
        what: 'device to latest state at 1,000 messages a second',
        found: `p50 ${all.latest_p50_ms} ms, p99 ${all.latest_p99_ms} ms, ${all.lost} lost of ${all.sent}`,
        goal: { text: `p99 under ${GOALS.latestP99Ms} ms`, isMet: all.latest_p99_ms < GOALS.latestP99Ms },
        isEqual: all.sent === all.received && all.lost === 0,
    };
}

async function measureSealing(lake: string, server: Server, load: Omit<LoadOptions, 'port'>): Promise<Finding> {
    await runLoad({ ...load, port: server.port, seconds: 2, rate: 1000 });
    const begun = performance.now();
    await askServe(lake, 'seal');
    const seconds = (performance.now() - begun) / 1000;
    return {
        what: 'two seconds of 1,000 messages to SQL, on demand',
        found: `${seconds.toFixed(1)} s`,
        goal: { text: `under ${GOALS.onDemandSeconds} s`, isMet: seconds < GOALS.onDemandSeconds },
    };
}

async function* measureConnected({ port, process: { pid = 0 } }: Server, load: Omit<LoadOptions, 'port'>): AsyncGenerator<Finding> {
    const client = spawn(process.execPath, [LOAD, JSON.stringify({ ...load, port })], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
        const answer = await new Promise<string>((resolve, reject) => {
            client.stdout?.once('data', (piece: Buffer) => resolve(piece.toString()));
            client.once('exit', (code) => reject(new Error(`the load ended with ${code}`)));
        });
        const { connected, connectSeconds } = JSON.parse(answer) as LoadResult;
        yield {
            what: `${connected} devices connect at once`,
            found: `${connectSeconds.toFixed(1)} s`,
            goal: { text: `${GOALS.stormSeconds} s`, isMet: connectSeconds < GOALS.stormSeconds },
        };
        const mb = residentMbOf(pid);
        yield {
            what: `${connected} connected devices: memory of the server`,
            found: `${mb.toFixed(0)} MB`,
            goal: { text: `under ${GOALS.connectedMb} MB`, isMet: mb < GOALS.connectedMb },
        };
        const before = cpuSecondsOf(pid);
        await wait(IDLE_MS);
        yield {
            what: `${connected} connected devices that say nothing: of one core`,
            found: `${(((cpuSecondsOf(pid) - before) / IDLE_MS) * 100_000).toFixed(1)} %`,
        };
    } finally {
        client.kill('SIGKILL');
    }
}

/** A lake that is served on free ports. */
async function startServe(lake: string): Promise<Server> {
    const child = spawn(process.execPath, [PROGRAM, '--lake', lake, 'serve', '--mqtt-port', '0', '--http-port', '0'], {
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (piece: Buffer) => {
        said += piece.toString();
    });
    while (!said.includes('Ctrl-C ends it')) {
        if (child.exitCode !== null) {
            throw new Error(`serve ended: ${said}`);
        }
        await wait(50);
    }
    const [, port] = /mqtts:\/\/[^ ]*:(\d+)/.exec(said) ?? [];
    return {
        port: Number(port),
        process: child,
        token: /flr_\S+/.exec(said)?.[0],
        httpUrl: /https?:\/\/\S+/.exec(said)?.[0],
        stop: () => ended(child, 'SIGINT'),
    };
}

/** mosquitto with persistence, certificates and the same authority; undefined where it is not installed. */
async function startMosquitto(folder: string, lake: string): Promise<Server | undefined> {
    if (spawnSync('mosquitto', ['-h']).error) {
        return undefined;
    }
    const authority = await openAuthority(authorityFolder(lake), { now: new Date() });
    const { certificate, key } = await authority.server({ names: ['localhost', HOST], now: new Date() });
    const home = join(folder, 'mosquitto');
    mkdirSync(home);
    for (const [name, text] of Object.entries({ 'ca.crt': authority.certificate, 'server.crt': certificate, 'server.key': key })) {
        writeFileSync(join(home, name), text);
    }
    const settings = [
        `listener ${MOSQUITTO_PORT} ${HOST}`,
        ...['cafile ca.crt', 'certfile server.crt', 'keyfile server.key'].map((line) => line.replace(' ', ` ${home}/`)),
        'require_certificate true',
        'use_identity_as_username true',
        'persistence true',
        `persistence_location ${home}/`,
        'autosave_on_changes true',
        'autosave_interval 1000',
        'max_inflight_messages 0',
        'log_type none',
        `user ${process.env.USER ?? 'root'}`,
    ];
    writeFileSync(join(home, 'mosquitto.conf'), `${settings.join('\n')}\n`);
    const child = spawn('mosquitto', ['-c', join(home, 'mosquitto.conf')], { stdio: 'ignore' });
    await wait(1000);
    return { port: MOSQUITTO_PORT, process: child, token: undefined, httpUrl: undefined, stop: () => ended(child, 'SIGTERM') };
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    return new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill(signal);
    });
}

function runLoad(options: LoadOptions): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [LOAD, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
        let said = '';
        child.stdout?.on('data', (piece: Buffer) => {
            said += piece.toString();
        });
        child.once('exit', (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`the load ended with ${code}`))));
    });
}

function runProgram(words: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) {
        throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`);
    }
    return stdout;
}

/** User and system time of all threads of the process, by Linux's /proc. */
function cpuSecondsOf(pid: number): number {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentMbOf(pid: number): number {
    return (Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
}

function countSyncs(folder: string): number {
    const file = openSync(join(folder, 'syncs'), 'w');
    const page = Buffer.alloc(4096, 1);
    const begun = performance.now();
    let count = 0;
    for (; performance.now() - begun < 1000; count += 1) {
        writeSync(file, page);
        fdatasyncSync(file);
    }
    closeSync(file);
    return count;
}

/** What a handshake with two certificates mostly is; by openssl, said where that is missing. */
function countSignatures(): string {
    const { stdout, error } = spawnSync('openssl', ['speed', '-seconds', '1', '-mr', 'ecdsap256'], { encoding: 'utf8' });
    const [, sign, verify] = /^\+F4:\d+:256:([\d.]+):([\d.]+)/m.exec(stdout ?? '') ?? [];
    return error || sign === undefined
        ? 'openssl is not here'
        : `${Number(sign).toFixed(0)} signatures, ${Number(verify).toFixed(0)} checks`;
}
