/** Exporters that PyPI and Debian offer, and what each makes of a capture. */
import type { Conversation } from './capture.ts';
import { argusFlows, cicflowmeterFlows, type Flow, nfdumpFlows, nfdumpJsonFlows, nfstreamFlows } from './count-flows.ts';
import {
    NEEDS,
    type Needs,
    type Run,
    runArgus,
    runCicflowmeterS,
    runCicflowmeterUs,
    runNfdump,
    runNfstream,
    runPyflowmeter,
    runSoftflowd,
} from './run-exporters.ts';

export interface Exporter {
    name: string;
    needs: Needs;
    /** False for conversations that are kept from it. */
    takes?(conversation: Conversation): boolean;
    /** Writes its file and returns its path. */
    run(where: Omit<Run, 'options'>): Promise<string>;
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
    /** Packets that a row has too many. */
    extraPackets: bigint;
    /** True if it has no flow of this conversation. */
    leavesOut?(conversation: Conversation): boolean;
    /** True if it makes a flow of each packet. */
    hasEachPacketAlone?(conversation: Conversation): boolean;
}

/** Fields of Argus that a lake can read. */
export const ARGUS_FIELDS = 'stime,ltime,dur,proto,saddr,sport,dir,daddr,dport,spkts,dpkts';

const TWO_WAY: Sight = { rows: 'two-way', stepUs: 1n, extraPackets: 0n };
const NFSTREAM: Sight = { ...TWO_WAY, stepUs: 1000n };
const CICFLOWMETER: Sight = { ...TWO_WAY, leavesOut: ({ src, isTagged }) => src.includes(':') || isTagged };
const NFPCAPD: Sight = {
    rows: 'one-way',
    stepUs: 1000n,
    extraPackets: 0n,
    hasEachPacketAlone: ({ protocol, dstPort }) => protocol === 'udp' && dstPort === 53,
};

export const EXPORTERS: readonly Exporter[] = [
    {
        name: 'NFStream, to_csv',
        needs: NEEDS.nfstream,
        run: (where) => runNfstream({ ...where, options: [] }),
        flowsOf: nfstreamFlows,
        sees: NFSTREAM,
    },
    {
        name: 'NFStream, to_csv with statistics and first packets, without guesses at applications',
        needs: NEEDS.nfstream,
        run: (where) => runNfstream({ ...where, options: ['statistical_analysis=True', 'splt_analysis=3', 'n_dissections=0'] }),
        flowsOf: nfstreamFlows,
        sees: NFSTREAM,
    },
    {
        name: 'cicflowmeter 0.2.0, microseconds',
        needs: NEEDS.cicflowmeterUs,
        takes: isNeverSilent,
        run: (where) => runCicflowmeterUs({ ...where, options: [] }),
        flowsOf: (text) => cicflowmeterFlows(text, { unit: 'us' }),
        sees: CICFLOWMETER,
    },
    {
        name: 'cicflowmeter 0.5.0, seconds',
        needs: NEEDS.cicflowmeterS,
        takes: isNeverSilent,
        run: (where) => runCicflowmeterS({ ...where, options: [] }),
        flowsOf: (text) => cicflowmeterFlows(text, { unit: 's' }),
        sees: { ...CICFLOWMETER, extraPackets: 1n },
    },
    {
        name: 'pyflowmeter, microseconds',
        needs: NEEDS.pyflowmeter,
        run: (where) => runPyflowmeter({ ...where, options: [] }),
        flowsOf: (text) => cicflowmeterFlows(text, { unit: 'us' }),
        sees: CICFLOWMETER,
    },
    {
        name: 'nfpcapd, nfdump -o csv',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: NFPCAPD,
    },
    {
        name: 'nfpcapd, nfdump -q -o csv, without a header',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-q', '-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: NFPCAPD,
    },
    {
        name: 'nfpcapd, nfdump -B -o csv, both ways in a row',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-B', '-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, stepUs: 1000n },
    },
    {
        name: 'nfpcapd, nfdump -a -o csv, flows of one pair of ports in a row',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-a', '-o', 'csv'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, rows: 'one-way', stepUs: 1000n },
    },
    {
        name: 'nfpcapd, nfdump -o json',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-o', 'json'] }),
        flowsOf: nfdumpJsonFlows,
        sees: NFPCAPD,
    },
    {
        name: 'softflowd -v 10 -A milli, nfcapd, nfdump -o csv',
        needs: NEEDS.softflowd,
        run: (where) => runSoftflowd({ ...where, options: ['-v', '10', '-A', 'milli'] }),
        flowsOf: nfdumpFlows,
        sees: { rows: 'one-way, duration of both', stepUs: 1000n, extraPackets: 0n },
    },
    {
        name: 'softflowd -v 10 -A milli -b, both ways in a row',
        needs: NEEDS.softflowd,
        run: (where) => runSoftflowd({ ...where, options: ['-v', '10', '-A', 'milli', '-b'] }),
        flowsOf: nfdumpFlows,
        sees: { ...TWO_WAY, stepUs: 1000n },
    },
    {
        name: 'argus, ra -n -u',
        needs: NEEDS.argus,
        run: (where) => runArgus({ ...where, options: ['-n', '-u', '-s', ARGUS_FIELDS] }),
        flowsOf: argusFlows,
        sees: TWO_WAY,
    },
    {
        name: 'argus, racluster -n -u',
        needs: NEEDS.argus,
        run: (where) => runArgus({ ...where, reader: 'racluster', options: ['-n', '-u', '-s', ARGUS_FIELDS] }),
        flowsOf: argusFlows,
        sees: TWO_WAY,
    },
];

/** True unless the conversation is silent for minutes, which ends the Python cicflowmeter in the middle of a capture: see findings/cicflowmeter-ends-early.sh. */
export function isNeverSilent({ isSilent }: Conversation): boolean {
    return !isSilent;
}
