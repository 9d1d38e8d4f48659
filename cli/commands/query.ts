/** `flowlake query`: any SQL that reads, over the tables and views of the lake. */
import { defineCommand } from '#cli/command';
import { bytes, text } from '#cli/option';

export const query = defineCommand({
    name: 'query',
    summary: 'answer SQL over the lake’s tables and views',
    details:
        'Tables: pair_days, flow_summaries, sources, rejects. Views: pair_running, pair_stats, pair_features, pair_anomalies, day_totals. ' +
        'A table rounds fractions to three places; --output json and csv print all of them. ' +
        'On AWS Athena answers, which is paid by what it reads: that and its list price are said before the rows.',
    arguments: { sql: { meaning: 'one statement that reads, or - for what is piped in', count: 'one or none' } },
    options: {
        file: text('-f, --file <file>', 'read the SQL from a file'),
        maxScan: bytes(
            '--max-scan <size>',
            'for Athena: fail where it reads more than this, like 10GB; it tells while it reads, so somewhat more may be read, and is paid',
        ),
    },
    examples: [
        { line: 'query "select * from day_totals order by day"', does: 'flows, pairs and packets of every site and day' },
        { line: 'query -f busiest.sql --output csv > busiest.csv', does: 'SQL from a file, rows into another' },
        { line: 'query - --output json < busiest.sql', does: 'SQL that is piped in' },
        { line: 'query --max-scan 1GB "select count(*) from pair_days"', does: 'on AWS: for half a cent at most, or hardly more' },
    ],
    async run({ arguments: { sql }, options: { file, maxScan }, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        const { printRows } = await import('#cli/draw/print-rows');
        const statement = await readStatement({ sql, file, readInput: context.readInput });
        return useLake(context, async (lake) => {
            const engine = await lake.engine();
            const result = await engine.query(statement, { signal: context.signal, maxScanBytes: maxScan });
            if (result.scanned !== undefined) {
                const { sayBytes } = await import('#cli/draw/quantity');
                await context.stderr.write(`Scanned ${sayBytes(result.scanned.bytes)}: ${sayUsd(result.scanned.costUsd)}\n`);
            }
            await printRows(result, context);
            return 0;
        });
    },
});

/** `$0.0001`, the least that is shown. */
function sayUsd(usd: number): string {
    return usd > 0 && usd < 0.00005 ? 'less than $0.0001' : `$${usd.toFixed(4)}`;
}

async function readStatement({
    sql,
    file,
    readInput,
}: {
    sql: string | undefined;
    file: string | undefined;
    readInput: () => AsyncIterable<Uint8Array>;
}): Promise<string> {
    const { UsageError } = await import('#lake/errors');
    if ((sql === undefined) === (file === undefined)) {
        throw new UsageError('Give one of: the SQL itself, -f FILE, or - to read it from the pipe (flowlake query --help shows how)');
    }
    if (file !== undefined) {
        const { readFile } = await import('node:fs/promises');
        return readFile(file, 'utf8').catch((cause: unknown) => {
            throw new UsageError(`Cannot read the SQL file ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
        });
    }
    return sql === '-' || sql === undefined ? readAll(readInput()) : sql;
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of input) {
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
}
