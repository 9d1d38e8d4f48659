/** Reading JSON of Zeek: lines against DuckDB with one thread, and one array on one line against lines. The figures are exact and the same. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { type FlowsRead, readFlows } from '#lake/flows/read-flows';
import { readAhead } from '#lake/store/read-ahead';
import { type BenchOptions, type Finding, inTurn, sayRatio } from './measure.ts';
import { digestOf, rowsOf, toRows } from './reading.ts';

const PAIRS = 20_000;

/** Monday, 5 January 2026, 00:00 UTC. */
const FIRST_SECOND = 1_767_571_200;

export async function* benchReadingJson({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const path = await writeSample(folder, isQuick ? 20_000 : 1_500_000);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const duckdb = await instance.connect();
    let result: FlowsRead | undefined;
    const { a, b } = await inTurn(
        isQuick ? 1 : 7,
        async () => {
            await duckdb.run(`create or replace temp table totals as ${aggregateSql(path)}`);
        },
        async () => {
            result = await readSample(path);
        },
    );
    const found = (await duckdb.runAndReadAll('select * from totals order by 1, 2')).getRows();
    const ratio = a.cpuMs / b.cpuMs;
    const megabytes = (await stat(path)).size / 1e6;
    const speed = (megabytes / b.cpuMs) * 1000;
    yield {
        what: 'reading JSON lines, DuckDB / flowlake (CPU)',
        found: `${sayRatio(ratio)}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms; ${speed.toFixed(0)} MB/s)`,
        goal: { text: 'at least 2x and 150 MB/s', isMet: ratio >= 2 && speed >= 150 },
        isEqual: result !== undefined && digestOf(found) === digestOf(toRows(rowsOf(result))),
    };
    duckdb.closeSync();
    instance.closeSync();
    await rm(path);
    // As a text of its own, which is what makes an array of it here, a file of 590 MB is too long.
    yield* benchArray({ path: await writeSample(folder, isQuick ? 20_000 : 500_000), isQuick });
}

/** The records of the file as one array on one line, which is how programs write a list of them. */
async function* benchArray({ path, isQuick }: { path: string; isQuick: boolean }): AsyncGenerator<Finding> {
    const arrayPath = `${path}.array`;
    await writeFile(arrayPath, `[${(await readFile(path, 'latin1')).trimEnd().replaceAll('\n', ',')}]`, 'latin1');
    let lines: FlowsRead | undefined;
    let array: FlowsRead | undefined;
    const { a, b } = await inTurn(
        isQuick ? 1 : 7,
        async () => {
            lines = await readSample(path);
        },
        async () => {
            array = await readSample(arrayPath);
        },
    );
    const [digest, other] = [lines, array].map((result) => result && digestOf(toRows(rowsOf(result))));
    yield {
        what: 'one JSON array on one line / JSON lines (CPU)',
        found: `${sayRatio(b.cpuMs / a.cpuMs)}  (${b.cpuMs.toFixed(0)} / ${a.cpuMs.toFixed(0)} ms)`,
        isEqual: digest !== undefined && digest === other,
    };
}

/** Writes one day of connections, as Zeek writes them where JSON is asked for. */
async function writeSample(folder: string, flows: number): Promise<string> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `sample-${flows}.json`);
    await pipeline(Readable.from(linesOf(flows)), createWriteStream(path));
    return path;
}

function* linesOf(flows: number): Generator<string> {
    let seed = 1;
    /** A whole number from 0 to below `end`. */
    const draw = (end: number): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * end);
    };
    const micro = (number: number): string => String(number).padStart(6, '0');
    for (let flow = 0; flow < flows; flow += 1) {
        const pair = Math.floor((draw(1 << 15) / (1 << 15)) ** 2 * PAIRS);
        const ts = `${FIRST_SECOND + Math.floor((flow * 86_400) / flows)}.${micro(draw(1e6))}`;
        const service = draw(2) === 0 ? '' : `"service":"${['ssl', 'http', 'dns'][draw(3)]}",`;
        const bytes = draw(10) === 0 ? '' : `"orig_bytes":${draw(1e5)},"resp_bytes":${draw(1e6)},`;
        yield `{"ts":${ts},"uid":"C${draw(1e8)}${draw(1e8)}","id.orig_h":"10.0.${pair >> 8}.${pair & 255}","id.orig_p":${draw(65_536)},"id.resp_h":"192.168.${pair & 63}.${pair % 251}","id.resp_p":443,"proto":"tcp",${service}"duration":${draw(60)}.${micro(draw(1e6))},${bytes}"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"${'ShADadFf'.slice(0, 2 + draw(7))}","orig_pkts":${1 + draw(500)},"orig_ip_bytes":${draw(1e5)},"resp_pkts":${draw(500)},"resp_ip_bytes":${draw(1e5)},"ip_proto":6}\n`;
    }
}

async function readSample(path: string): Promise<FlowsRead> {
    const file = await open(path);
    try {
        const result = await readFlows(() => readAhead(file));
        if (!result.ok) {
            throw new Error(`the sample cannot be read: ${JSON.stringify(result)}`);
        }
        return result;
    } finally {
        await file.close();
    }
}

/** Only the fields that are needed, with their types: DuckDB need not guess, and its figures are exact too. */
function aggregateSql(path: string): string {
    const figures = ['us', 'orig_pkts'].map(
        (name) => `sum(${name}) as ${name}_sum, sum(${name}::hugeint * ${name}::hugeint) as ${name}_sum_sq, min(${name}), max(${name})`,
    );
    return `select "id.orig_h" as src_ip, "id.resp_h" as dst_ip, count(*) as flows, count(duration) as timed_flows, ${figures.join(', ')}
        from (select *, (duration * 1000000)::bigint as us, floor(ts / 86400)::bigint as day from read_json('${path}',
            format = 'newline_delimited', columns = {ts: 'DOUBLE', "id.orig_h": 'VARCHAR', "id.resp_h": 'VARCHAR',
            duration: 'DECIMAL(18, 6)', orig_pkts: 'BIGINT'}))
        group by "id.orig_h", "id.resp_h", day`;
}
