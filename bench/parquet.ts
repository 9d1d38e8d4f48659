/** Reading flows out of Parquet against hyparquet alone, which only decodes the same columns. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetRead } from 'hyparquet';
import { pairRowsOf } from '#lake/flows/pair-rows';
import { type FlowsRead, readFlows } from '#lake/flows/read-flows';
import { type BenchOptions, type Finding, inTurn, sayRatio } from './measure.ts';
import { writeSample } from './reading.ts';

const COLUMNS = ['Src IP', 'Dst IP', 'Timestamp', 'Flow Duration', 'Tot Fwd Pkts'];

export async function* benchParquet({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    await mkdir(folder, { recursive: true });
    const csv = await writeSample(folder, isQuick ? 20e6 : 600e6);
    const path = `${csv}.flows.parquet`;
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const duckdb = await instance.connect();
    await duckdb.run(
        `copy (select * from read_csv('${csv}', types = {'Timestamp': 'VARCHAR'})) to '${path}' (format parquet, codec 'snappy')`,
    );
    duckdb.closeSync();
    instance.closeSync();
    const bytes = await readFile(path);
    const { buffer } = new Uint8Array(bytes);
    const ofCsv = await read(await readFile(csv));
    let result = ofCsv;
    const { a, b } = await inTurn(
        isQuick ? 1 : 7,
        () => parquetRead({ file: buffer, columns: COLUMNS, onChunk: () => undefined }),
        async () => {
            result = await read(bytes);
        },
    );
    const ratio = a.cpuMs / b.cpuMs;
    const { size } = await stat(csv);
    yield {
        what: 'Parquet, hyparquet alone / flowlake (CPU)',
        found:
            `${sayRatio(ratio)}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms; ${(result.rowsRead / b.cpuMs / 1000).toFixed(1)} million rows/s, ` +
            `${(bytes.length / b.cpuMs / 1000).toFixed(0)} MB/s of Parquet, as ${(size / b.cpuMs / 1000).toFixed(0)} MB/s of CSV)`,
        goal: { text: 'as fast as its library', isMet: ratio >= 1 },
        isEqual: figuresOf(result) === figuresOf(ofCsv),
    };
}

async function read(bytes: Buffer): Promise<FlowsRead> {
    const result = await readFlows(
        async function* () {
            yield bytes;
        },
        {
            ranges: {
                sizeBytes: bytes.length,
                readRange: async ({ start, end }) => new Uint8Array(bytes.subarray(start, end)),
            },
        },
    );
    if (!result.ok) {
        throw new Error(`the sample cannot be read: ${JSON.stringify(result)}`);
    }
    return result;
}

function figuresOf({ table, days }: FlowsRead): string {
    const rows = [...days].map(([day, of]) => pairRowsOf(table, { rows: of, site: 'bench', day }));
    return JSON.stringify(rows, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value instanceof BigInt64Array ? [...value].map(String) : value,
    );
}
