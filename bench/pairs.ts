/** The pairs that move the most in a year, against the query that somebody would write for DuckDB over the same files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchOptions, Finding } from './measure.ts';
import { comparePrograms, PROGRAM } from './run-program.ts';
import { makeDays } from './year-lake.ts';

const DUCKDB = import.meta.resolve('@duckdb/node-api');

/** The same rows as CSV. A tie goes by the names, as in the command. */
const script = (lake: string): string => `
import { DuckDBInstance } from ${JSON.stringify(DUCKDB)};
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const reader = await connection.runAndReadAll(\`
    select
        site, src_ip, dst_ip, count(*) as days, min(day)::varchar as first_day, max(day)::varchar as last_day, sum(flows) as flows,
        sum(flow_duration_us_sum) as flow_duration_us_sum, sum(fwd_pkts_sum) as fwd_pkts_sum
    from read_parquet('${lake}/pair_days/*/*.parquet', hive_partitioning = true)
    group by site, src_ip, dst_ip
    order by fwd_pkts_sum desc, site, src_ip, dst_ip
    limit 20\`);
process.stdout.write([reader.columnNames(), ...reader.getRows()].map((row) => row.join(',') + '\\n').join(''));
process.exit();
`;

export async function* benchPairs({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const days = isQuick ? 10 : 365;
    const lake = makeDays(folder, days);
    const own = join(folder, 'own-query.mjs');
    await writeFile(own, script(lake));
    const words = [PROGRAM, '--lake', lake, 'pairs', '--top', '20', '--output', 'csv'];
    const { a, b, said, cpuRatio, isEqual } = comparePrograms(isQuick ? 1 : 5, words, [own]);
    yield {
        what: `pairs --top, ${days} days / DuckDB's own query (CPU)`,
        found: `${said}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms)`,
        goal: { text: 'at most 1x', isMet: cpuRatio <= 1 },
        isEqual,
    };
}
