/** The same flows as other tools write them: read by the lake they come to the figures of CICFlowMeter's files. */
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { sample } from '#cli/commands/sample/command';
import { DURATION, PACKETS } from '#lake/flows/pair-table';
import { readFlows } from '#lake/flows/read-flows';
import { type SampleFile, sampleFiles } from '#sample/flows/sample-files';
import { tools } from '#sample/flows/tools';
import { textOf } from './sample-rows.ts';

const OPTIONS = { flows: 1500, days: 2, pairs: 20, sites: ['berlin'], seed: 3 };

/** Tools that write a row for each flow, and the microseconds that they round durations to. */
const TWO_WAY = [
    ['zeek', 1],
    ['zeek-json', 1],
    ['suricata', 1],
    ['nfdump', 1000],
    ['nfstream', 1000],
] as const;

function filesOf(name: string | undefined): SampleFile[] {
    return [...sampleFiles(OPTIONS, { tool: tools.find((tool) => tool.name === name) })];
}

/** Flows, packets and microseconds of each pair and day. */
async function figuresOf(file: SampleFile) {
    const result = await readFlows(() => Readable.from(file.chunks));
    if (!result.ok) {
        throw new Error(result.error);
    }
    const { table, days, dialect, rowsRejected } = result;
    const pairs = new Map<string, { flows: number; packets: bigint; us: bigint }>();
    for (const [day, rows] of days) {
        for (const row of rows) {
            const name = `${day} ${table.sourceOf(row)} ${table.destinationOf(row)}`;
            pairs.set(name, {
                flows: table.flowsOf(row),
                packets: table.totalsOf(row, PACKETS).sum,
                us: table.totalsOf(row, DURATION).sum,
            });
        }
    }
    return { pairs, dialect, rowsRejected };
}

describe('a sample as another tool writes it', () => {
    test.each(TWO_WAY)('%s comes to the same flows and packets of every pair, durations to %i us', async (name, precision) => {
        for (const [at, file] of filesOf(name).entries()) {
            const own = await figuresOf(file);
            const cicflowmeter = await figuresOf(filesOf(undefined)[at] as SampleFile);
            expect([own.dialect, own.rowsRejected]).toEqual([name, 0]);
            expect([...own.pairs.keys()].sort()).toEqual([...cicflowmeter.pairs.keys()].sort());
            for (const [pair, { flows, packets, us }] of own.pairs) {
                const other = cicflowmeter.pairs.get(pair);
                expect({ pair, flows, packets }).toEqual({ pair, flows: other?.flows, packets: other?.packets });
                const difference = us - (other?.us ?? 0n);
                expect(difference < 0n ? -difference : difference).toBeLessThanOrEqual(BigInt((flows * (precision - 1) + 1) >> 1));
            }
        }
    });

    test('aws-vpc has each direction as a row of its own', async () => {
        for (const [at, file] of filesOf('aws-vpc').entries()) {
            const own = await figuresOf(file);
            expect([own.dialect, own.rowsRejected]).toEqual(['aws-vpc', 0]);
            const { pairs } = await figuresOf(filesOf(undefined)[at] as SampleFile);
            // What comes back of a pair that speaks the other way round too is counted with it.
            const oneWay = [...pairs].filter(([pair]) => !pairs.has(pair.replace(/ (\S+) (\S+)$/, ' $2 $1')));
            for (const [pair, { flows, packets }] of oneWay) {
                expect({ pair, ...own.pairs.get(pair) }).toMatchObject({ pair, flows, packets });
            }
            expect(oneWay.length).toBeGreaterThan(10);
            expect(own.pairs.size).toBeGreaterThan(oneWay.length);
        }
    });

    test('zeek-json and suricata are one object a line, with the same flows', () => {
        const tsv = filesOf('zeek').map((file) =>
            textOf(file)
                .split('\n')
                .filter((line) => /^\d/.test(line))
                .map((line) => line.split('\t')),
        );
        const zeek = filesOf('zeek-json').map(linesOf);
        const suricata = filesOf('suricata').map(linesOf);
        expect(zeek.map((lines) => lines.map((row) => [row['id.orig_h'], row['id.resp_h'], row.orig_pkts, row.ts]))).toEqual(
            tsv.map((rows) => rows.map((cells) => [cells[2], cells[4], Number(cells[16]), Number(cells[0])])),
        );
        expect(
            suricata.map((lines) =>
                lines.map(({ event_type, src_ip, dest_ip, flow }) => [
                    event_type,
                    src_ip,
                    dest_ip,
                    flow.pkts_toserver,
                    secondsBetween(flow),
                ]),
            ),
        ).toEqual(tsv.map((rows) => rows.map((cells) => ['flow', cells[2], cells[4], Number(cells[16]), Number(cells[8])])));
    });

    test('may be asked for by the name of every tool', () => {
        expect(sample.options.as.choices).toEqual(tools.map(({ name }) => name));
    });

    test.each(tools)('$name: equal options give equal bytes, and the files say whose they are by name', ({ name, fileEnd }) => {
        const [first] = filesOf(name);
        expect(first?.name).toBe(`2026-01-05_${fileEnd}`);
        expect(textOf(first as SampleFile)).toBe(textOf(first as SampleFile));
    });
});

function linesOf(file: SampleFile): Record<string, any>[] {
    return textOf(file)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

/** Seconds of a flow event, with six places. */
function secondsBetween({ start, end }: { start: string; end: string }): number {
    const [from, until] = [start, end].map((time) => Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26)));
    return ((until ?? 0) - (from ?? 0)) / 1e6;
}
