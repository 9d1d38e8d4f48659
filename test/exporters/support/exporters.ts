/**
 * Exporters that PyPI and Debian offer: how each is run over a capture, how its file is counted by a few plain lines that share nothing with the
 * lake's readers, and what it makes of a plain conversation.
 */
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Conversation } from './capture.ts';

/** A flow as an exporter's file has it. */
export interface Flow {
    day: string;
    src: string;
    dst: string;
    durationUs: bigint;
    packets: bigint;
}

export interface Exporter {
    name: string;
    /** Programs that it needs, and how one gets them. */
    needs: Readonly<Record<string, string>>;
    /** False for conversations that are kept from it. */
    takes?(conversation: Conversation): boolean;
    /** Writes its file for the capture file at `capture` into `folder`, and returns its path. */
    run(where: { capture: string; folder: string }): Promise<string>;
    /** The flows of its file. */
    flowsOf(text: string): Flow[];
    /** What it makes of plain conversations. */
    sees: Sight;
}

export interface Sight {
    /** One row for both directions, or one for each, with its own duration or with that of the conversation. */
    rows: 'two-way' | 'one-way' | 'one-way, duration of both';
    /** What its times are cut to. */
    stepUs: bigint;
    /** False if it leaves out IPv6. */
    hasIpv6: boolean;
    /** Packets that a row has too many. */
    extraPackets: bigint;
}

const TOOLS = fileURLToPath(new URL('../../../.tools', import.meta.url));
const NFDUMP = { nfpcapd: 'apt-get install nfdump', nfdump: 'apt-get install nfdump' };
const ARGUS = { argus: 'apt-get install argus-server', ra: 'apt-get install argus-client' };
/** Fields that ra must be asked for. */
export const ARGUS_FIELDS = 'stime,ltime,dur,proto,saddr,sport,dir,daddr,dport,spkts,dpkts';

/** Debian has some of the programs where only root looks for them; most write the time of the machine's zone. */
const PATH = `${process.env.PATH}:/usr/sbin`;
const ENVIRONMENT = { ...process.env, PATH, TZ: 'UTC' };

/** Scapy has tcpdump find the packets that it is asked for. */
const TCPDUMP = { tcpdump: 'apt-get install tcpdump' };

const NFSTREAM = pythonOf('nfstream');
const CICFLOWMETER_US = pythonOf('cicflowmeter-us');
const CICFLOWMETER_S = pythonOf('cicflowmeter-s');
const PYFLOWMETER = pythonOf('pyflowmeter');

const TWO_WAY: Sight = { rows: 'two-way', stepUs: 1n, hasIpv6: true, extraPackets: 0n };
const CICFLOWMETER: Sight = { ...TWO_WAY, hasIpv6: false };

export const EXPORTERS: readonly Exporter[] = [
    {
        name: 'NFStream, to_csv',
        needs: { [NFSTREAM]: 'npm run tools -- nfstream' },
        run: ({ capture, folder }) => runNfstream({ capture, folder, options: '' }),
        flowsOf: nfstreamFlows,
        sees: { ...TWO_WAY, stepUs: 1000n },
    },
    {
        name: 'NFStream, to_csv with statistics and first packets, without guesses at applications',
        needs: { [NFSTREAM]: 'npm run tools -- nfstream' },
        run: ({ capture, folder }) =>
            runNfstream({ capture, folder, options: ', statistical_analysis=True, splt_analysis=3, n_dissections=0' }),
        flowsOf: nfstreamFlows,
        sees: { ...TWO_WAY, stepUs: 1000n },
    },
    {
        name: 'cicflowmeter 0.2.0, microseconds',
        needs: { [CICFLOWMETER_US]: 'npm run tools -- cicflowmeter-us', ...TCPDUMP },
        takes: isNoSilence,
        async run({ capture, folder }) {
            const path = join(folder, 'flows.csv');
            await run(join(CICFLOWMETER_US, '../cicflowmeter'), ['-f', capture, '-c', path]);
            return path;
        },
        flowsOf: (text) => cicflowmeterFlows(text, { decimals: 0 }),
        sees: CICFLOWMETER,
    },
    {
        name: 'cicflowmeter 0.5.0, seconds',
        needs: { [CICFLOWMETER_S]: 'npm run tools -- cicflowmeter-s', ...TCPDUMP },
        takes: isNoSilence,
        async run({ capture, folder }) {
            // It only takes a folder of captures. Once a second it holds the clock of the machine against the capture's times and breaks off all
            // flows, which loses packets: that clock is put off.
            const patient = 'import cicflowmeter.sniffer as sniffer; sniffer.GC_INTERVAL = 100_000.0; sniffer.main()';
            await run(CICFLOWMETER_S, ['-c', patient, '-d', join(capture, '..'), '-c', join(folder, 'written')]);
            return join(folder, 'written/capture.csv');
        },
        flowsOf: (text) => cicflowmeterFlows(text, { decimals: 6 }),
        sees: { ...CICFLOWMETER, extraPackets: 1n },
    },
    {
        name: 'pyflowmeter, microseconds',
        needs: { [PYFLOWMETER]: 'npm run tools -- pyflowmeter', ...TCPDUMP },
        takes: isNoSilence,
        async run({ capture, folder }) {
            const path = join(folder, 'flows.csv');
            const script = `import sys
from pyflowmeter.sniffer import create_sniffer
sniffer = create_sniffer(input_file=sys.argv[1], to_csv=True, output_file=sys.argv[2])
sniffer.start()
sniffer.join()`;
            await run(PYFLOWMETER, ['-c', script, capture, path]);
            return path;
        },
        flowsOf: (text) => cicflowmeterFlows(text, { decimals: 0 }),
        sees: CICFLOWMETER,
    },
    {
        name: 'nfpcapd, nfdump -o csv',
        needs: NFDUMP,
        run: ({ capture, folder }) => runNfdump({ capture, folder, options: ['-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, rows: 'one-way', stepUs: 1000n },
    },
    {
        name: 'nfpcapd, nfdump -q -o csv, without a header',
        needs: NFDUMP,
        run: ({ capture, folder }) => runNfdump({ capture, folder, options: ['-q', '-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, rows: 'one-way', stepUs: 1000n },
    },
    {
        name: 'nfpcapd, nfdump -B -o csv, both ways in a row',
        needs: NFDUMP,
        run: ({ capture, folder }) => runNfdump({ capture, folder, options: ['-B', '-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, stepUs: 1000n },
    },
    {
        name: 'nfpcapd, nfdump -o json',
        needs: NFDUMP,
        run: ({ capture, folder }) => runNfdump({ capture, folder, options: ['-o', 'json'] }),
        flowsOf: nfdumpJsonFlows,
        sees: { ...TWO_WAY, rows: 'one-way', stepUs: 1000n },
    },
    {
        name: 'softflowd with IPFIX and -A milli, nfcapd, nfdump -o csv',
        needs: { softflowd: 'apt-get install softflowd', nfcapd: 'apt-get install nfdump', nfdump: 'apt-get install nfdump' },
        run: runSoftflowd,
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, rows: 'one-way, duration of both', stepUs: 1000n },
    },
    {
        name: 'argus, ra -n -u',
        needs: ARGUS,
        run: ({ capture, folder }) => runArgus({ capture, folder, options: ['-n', '-u', '-s', ARGUS_FIELDS] }),
        flowsOf: argusFlows,
        sees: TWO_WAY,
    },
];

/** What is missing on this machine for an exporter and how to get it; undefined where nothing is. */
export function missingFor({ needs }: Pick<Exporter, 'needs'>): string | undefined {
    const missing = Object.entries(needs).filter(([program]) => !isThere(program));
    return missing.length === 0 ? undefined : [...new Set(missing.map(([, how]) => how))].join(', ');
}

export async function runNfdump({
    capture,
    folder,
    options,
}: {
    capture: string;
    folder: string;
    options: readonly string[];
}): Promise<string> {
    const path = join(folder, 'flows.txt');
    const collected = join(folder, 'collected');
    await mkdir(collected);
    await run('nfpcapd', ['-r', capture, '-w', collected]);
    await writeFile(path, await run('nfdump', ['-R', collected, ...options]));
    return path;
}

export async function runArgus({
    capture,
    folder,
    options,
}: {
    capture: string;
    folder: string;
    options: readonly string[];
}): Promise<string> {
    const path = join(folder, 'flows.csv');
    await run('argus', ['-r', capture, '-w', join(folder, 'argus.bin')]);
    await writeFile(path, await run('ra', ['-r', join(folder, 'argus.bin'), '-c', ',', ...options]));
    return path;
}

/** A program's output. */
export async function run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program, args, { env: ENVIRONMENT, maxBuffer: 1e9 });
    return stdout;
}

async function runNfstream({ capture, folder, options }: { capture: string; folder: string; options: string }): Promise<string> {
    const path = join(folder, 'flows.csv');
    // It starts processes, which import the program once more.
    const script = join(folder, 'export.py');
    await writeFile(
        script,
        `import sys
from nfstream import NFStreamer
if __name__ == '__main__':
    NFStreamer(source=sys.argv[1]${options}).to_csv(path=sys.argv[2])
`,
    );
    await run(NFSTREAM, [script, capture, path]);
    return path;
}

/** Softflowd sends to nfcapd over the machine's own network. */
async function runSoftflowd({ capture, folder }: { capture: string; folder: string }): Promise<string> {
    const path = join(folder, 'flows.txt');
    const collected = join(folder, 'collected');
    await mkdir(collected);
    const port = await freePort();
    const collector = spawn('nfcapd', ['-w', collected, '-p', `${port}`, '-b', '127.0.0.1'], { stdio: 'ignore', env: ENVIRONMENT });
    const end = once(collector, 'exit');
    try {
        await waitForPort(port, (waiting) => waiting !== undefined);
        await run('softflowd', [
            '-r',
            capture,
            '-n',
            `127.0.0.1:${port}`,
            '-v',
            '10',
            '-A',
            'milli',
            '-c',
            'none',
            '-p',
            join(folder, 'pid'),
            '-d',
        ]);
        await waitForPort(port, (waiting) => waiting === 0);
    } finally {
        collector.kill();
        await end;
    }
    await writeFile(path, await run('nfdump', ['-R', collected, '-o', 'csv']));
    return path;
}

async function freePort(): Promise<number> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    return port;
}

/** Waits until what Linux tells of a port of UDP is wanted: the bytes that wait there to be read, undefined while nobody listens. */
async function waitForPort(port: number, isWanted: (waiting: number | undefined) => boolean): Promise<void> {
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (let left = 1000; left > 0; left--) {
        const line = readFileSync('/proc/net/udp', 'utf8')
            .split('\n')
            .find((text) => text.trim().split(/\s+/)[1] === local);
        const queues = line?.trim().split(/\s+/)[4];
        if (isWanted(queues === undefined ? undefined : Number.parseInt(queues.split(':')[1] ?? '', 16))) {
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nfcapd did not get as far as wanted on port ${port}`);
}

function nfstreamFlows(text: string): Flow[] {
    return rowsOf(text).map((row) => ({
        day: dayOf(Number(row.bidirectional_first_seen_ms)),
        src: shortAddress(row.src_ip),
        dst: shortAddress(row.dst_ip),
        durationUs: BigInt(row.bidirectional_duration_ms ?? '') * 1000n,
        packets: BigInt(row.src2dst_packets ?? ''),
    }));
}

/** Durations have so many decimals that count. */
function cicflowmeterFlows(text: string, { decimals }: { decimals: number }): Flow[] {
    return rowsOf(text).map((row) => ({
        day: (row.timestamp ?? '').slice(0, 10),
        src: shortAddress(row.src_ip),
        dst: shortAddress(row.dst_ip),
        durationUs: scaled(row.flow_duration, decimals),
        packets: BigInt(row.tot_fwd_pkts ?? ''),
    }));
}

/** Cells by their place, which is the same with a header and without; the rows end where the summary begins. */
function nfdumpFlows(text: string): Flow[] {
    const [rows = ''] = text.split('\nSummary\n');
    return rows
        .split('\n')
        .filter((line) => /^\d/.test(line))
        .map((line) => {
            const [ts = '', , td, sa, da, , , , , , , ipkt = ''] = line.split(',');
            return { day: ts.slice(0, 10), src: shortAddress(sa), dst: shortAddress(da), durationUs: scaled(td, 6), packets: BigInt(ipkt) };
        });
}

function nfdumpJsonFlows(text: string): Flow[] {
    return JSON.parse(text).map((flow: Record<string, string>) => ({
        day: flow.first?.slice(0, 10) ?? '',
        src: shortAddress(flow.src4_addr ?? flow.src6_addr),
        dst: shortAddress(flow.dst4_addr ?? flow.dst6_addr),
        durationUs: BigInt(Date.parse(`${flow.last}Z`) - Date.parse(`${flow.first}Z`)) * 1000n,
        packets: BigInt(flow.in_packets ?? ''),
    }));
}

/** Rows about Argus itself and of ARP are no flows. */
function argusFlows(text: string): Flow[] {
    return rowsOf(text)
        .filter(({ Proto }) => Proto !== 'man' && Proto !== 'arp')
        .map((row) => ({
            day: dayOf(Number(row.StartTime) * 1000),
            src: shortAddress(row.SrcAddr),
            dst: shortAddress(row.DstAddr),
            durationUs: scaled(row.LastTime, 6) - scaled(row.StartTime, 6),
            packets: BigInt(row.SrcPkts ?? ''),
        }));
}

/** Rows by the names of a header; no cell here is quoted. */
function rowsOf(text: string): Record<string, string>[] {
    const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
    const names = header.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at] ?? '', cell.trim()])));
}

/** A decimal number times 10 to the power of `decimals`, rounded half up. */
function scaled(number: string | undefined, decimals: number): bigint {
    const [, whole, fraction = '', exponent = '0'] = /^ *(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(number ?? '') ?? [];
    if (whole === undefined) {
        throw new Error(`not a decimal number: ${number}`);
    }
    const digits = BigInt(`${whole}${fraction}`);
    const shift = decimals + Number(exponent) - fraction.length;
    const power = 10n ** BigInt(Math.abs(shift));
    return shift >= 0 ? digits * power : (2n * digits + power) / (2n * power);
}

function dayOf(epochMs: number): string {
    return new Date(epochMs).toISOString().slice(0, 10);
}

/** An address as RFC 5952 writes it, which is how URLs do. */
function shortAddress(address: string | undefined): string {
    return address?.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : (address ?? '');
}

function isNoSilence({ isSilent }: Conversation): boolean {
    // cicflowmeter stops there without a word (findings/).
    return !isSilent;
}

function pythonOf(tool: string): string {
    return join(TOOLS, tool, 'bin/python');
}

function isThere(program: string): boolean {
    return program.includes('/') ? existsSync(program) : PATH.split(':').some((folder) => existsSync(join(folder, program)));
}
