/** How each exporter is run over a capture, and what must be on the machine for it. */
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Programs that are needed, and how one gets each. */
export type Needs = Readonly<Record<string, string>>;

export interface Run {
    /** Path of the capture file, which is alone in its folder. */
    capture: string;
    /** Folder that everything is written to. */
    folder: string;
    /** What the exporter is told beside. */
    options: readonly string[];
}

const pythonOf = (tool: string): string => fileURLToPath(new URL(`../../../.tools/${tool}/bin/python`, import.meta.url));
const NFSTREAM = pythonOf('nfstream');
const CICFLOWMETER_US = pythonOf('cicflowmeter-us');
const CICFLOWMETER_S = pythonOf('cicflowmeter-s');
const PYFLOWMETER = pythonOf('pyflowmeter');

/** Scapy has tcpdump find the packets that it is asked for. */
const TCPDUMP = { tcpdump: 'apt-get install tcpdump' };

export const NEEDS = {
    nfstream: { [NFSTREAM]: 'npm run tools -- nfstream' },
    cicflowmeterUs: { [CICFLOWMETER_US]: 'npm run tools -- cicflowmeter-us', ...TCPDUMP },
    cicflowmeterS: { [CICFLOWMETER_S]: 'npm run tools -- cicflowmeter-s', ...TCPDUMP },
    pyflowmeter: { [PYFLOWMETER]: 'npm run tools -- pyflowmeter', ...TCPDUMP },
    nfdump: { nfpcapd: 'apt-get install nfdump', nfdump: 'apt-get install nfdump' },
    softflowd: { softflowd: 'apt-get install softflowd', nfcapd: 'apt-get install nfdump', nfdump: 'apt-get install nfdump' },
    argus: { argus: 'apt-get install argus-server', ra: 'apt-get install argus-client', racluster: 'apt-get install argus-client' },
    pmacctd: { pmacctd: 'apt-get install pmacct' },
} as const satisfies Readonly<Record<string, Needs>>;

/** Debian keeps some programs where only root looks; most write the time of the machine's zone. */
const PATH = `${process.env.PATH}:/usr/sbin`;
const ENVIRONMENT = { ...process.env, PATH, TZ: 'UTC' };

/** What is missing on this machine and how to get it; undefined where nothing is. */
export function missingOf(needs: Needs): string | undefined {
    const missing = Object.entries(needs).filter(([program]) => !isThere(program));
    return missing.length === 0 ? undefined : [...new Set(missing.map(([, how]) => how))].join(', ');
}

/** Options are arguments of the streamer in Python; columns to anonymize are those of `to_csv`. */
export async function runNfstream({ capture, folder, options, anonymize = [] }: Run & { anonymize?: readonly string[] }): Promise<string> {
    const path = join(folder, 'flows.csv');
    // It starts processes, which import the script once more.
    const script = `import sys
from nfstream import NFStreamer
if __name__ == '__main__':
    streamer = NFStreamer(${['source=sys.argv[1]', ...options].join(', ')})
    streamer.to_csv(path=sys.argv[2], columns_to_anonymize=sys.argv[3:])
`;
    await run(NFSTREAM, [await write(join(folder, 'export.py'), script), capture, path, ...anonymize]);
    return path;
}

/** The cicflowmeter that writes microseconds. */
export async function runCicflowmeterUs({ capture, folder, options }: Run): Promise<string> {
    const path = join(folder, 'flows.csv');
    await run(join(dirname(CICFLOWMETER_US), 'cicflowmeter'), ['-f', capture, '-c', ...options, path]);
    return path;
}

/**
 * The cicflowmeter that writes seconds, which takes only a folder of captures. Once a second it holds the machine's clock against the capture's times
 * and breaks off all flows, which loses packets: here it waits for a day.
 */
export async function runCicflowmeterS({ capture, folder }: Run): Promise<string> {
    const patient = 'import cicflowmeter.sniffer as sniffer; sniffer.GC_INTERVAL = 86_400.0; sniffer.main()';
    await run(CICFLOWMETER_S, ['-c', patient, '-d', dirname(capture), '-c', join(folder, 'written')]);
    return join(folder, 'written/capture.csv');
}

export async function runPyflowmeter({ capture, folder }: Run): Promise<string> {
    const path = join(folder, 'flows.csv');
    const script = `import sys
from pyflowmeter.sniffer import create_sniffer
sniffer = create_sniffer(input_file=sys.argv[1], to_csv=True, output_file=sys.argv[2])
sniffer.start()
sniffer.join()`;
    await run(PYFLOWMETER, ['-c', script, capture, path]);
    return path;
}

/** What nfdump prints, with these options, of what nfpcapd made of the capture. */
export async function runNfdump({ capture, folder, options }: Run): Promise<string> {
    const collected = join(folder, 'collected');
    await mkdir(collected);
    await run('nfpcapd', ['-r', capture, '-w', collected]);
    return write(join(folder, 'flows.txt'), await run('nfdump', ['-R', collected, ...options]));
}

/** What nfdump prints of what softflowd sent, with these options, over the machine's own network. */
export async function runSoftflowd({ capture, folder, options }: Run): Promise<string> {
    const collected = join(folder, 'collected');
    await mkdir(collected);
    const port = await freePort();
    const collector = spawn('nfcapd', ['-w', collected, '-p', `${port}`, '-b', '127.0.0.1'], { stdio: 'ignore', env: ENVIRONMENT });
    const end = once(collector, 'exit');
    try {
        await waitForPort(port, (waiting) => waiting !== undefined);
        await run('softflowd', ['-r', capture, '-n', `127.0.0.1:${port}`, '-c', 'none', '-p', join(folder, 'pid'), '-d', ...options]);
        await waitForPort(port, (waiting) => waiting === 0);
    } finally {
        collector.kill();
        await end;
    }
    return write(join(folder, 'flows.txt'), await run('nfdump', ['-R', collected, '-o', 'csv']));
}

/** What ra, or another reader of Argus, prints with these options. */
export async function runArgus({ capture, folder, options, reader = 'ra' }: Run & { reader?: 'ra' | 'racluster' }): Promise<string> {
    const recorded = join(folder, 'argus.bin');
    await run('argus', ['-r', capture, '-w', recorded]);
    return write(join(folder, 'flows.csv'), await run(reader, ['-r', recorded, '-c', ',', ...options]));
}

/** What pmacctd prints with these lines in its configuration. */
export async function runPmacctd({ capture, folder, options }: Run): Promise<string> {
    const path = join(folder, 'flows.txt');
    const lines = ['daemonize: false', 'plugins: print', `pcap_savefile: ${capture}`, `print_output_file: ${path}`, ...options];
    await run('pmacctd', ['-f', await write(join(folder, 'pmacctd.conf'), `${lines.join('\n')}\n`)]);
    return path;
}

/** A program's output. */
async function run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program, args, { env: ENVIRONMENT, maxBuffer: 1e9 });
    return stdout;
}

async function write(path: string, text: string): Promise<string> {
    await writeFile(path, text);
    return path;
}

async function freePort(): Promise<number> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    return port;
}

/** Waits until a port of UDP is as wanted: the bytes that wait there to be read, as Linux tells them; undefined while nobody listens. */
async function waitForPort(port: number, isWanted: (waiting: number | undefined) => boolean): Promise<void> {
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (let left = 1000; left > 0; left--) {
        const lines = readFileSync('/proc/net/udp', 'utf8').split('\n');
        const cells = lines.map((line) => line.trim().split(/\s+/)).find(([, address]) => address === local);
        const [, waiting] = cells?.[4]?.split(':') ?? [];
        if (isWanted(waiting === undefined ? undefined : Number.parseInt(waiting, 16))) {
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nfcapd did not get as far as wanted on port ${port}`);
}

function isThere(program: string): boolean {
    return program.includes('/') ? existsSync(program) : PATH.split(':').some((folder) => existsSync(join(folder, program)));
}
