/** Unusual days of 20 thousand pairs a day: the pass of the command against the view in SQL, which is what the command asked before. */
import { type BenchOptions, type Finding, sayRatio } from './measure.ts';
import { comparePrograms, PROGRAM, runNode } from './run-program.ts';
import { makeDays } from './year-lake.ts';

const IN_ORDER = 'select * from pair_anomalies order by day desc, score desc, site, src_ip, dst_ip, measure';

export async function* benchAnomalies({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const quarter = isQuick ? 20 : 91;
    const compared = comparePrograms(isQuick ? 1 : 5, askCommand(makeDays(folder, quarter)), askSql(makeDays(folder, quarter)));
    yield {
        what: `anomalies of ${quarter} days / the view in SQL (CPU)`,
        found: `${compared.said}  (${say(compared.a)} / ${say(compared.b)})`,
        goal: { text: 'at most 0.15x', isMet: compared.cpuRatio <= 0.15 },
        isEqual: compared.isEqual,
    };
    if (isQuick) {
        return;
    }
    // In SQL a year takes a minute and more: once is enough for the figures, and for a tenth.
    const year = makeDays(folder, 365);
    const bySql = runNode(askSql(year));
    const runs = Array.from({ length: 5 }, () => runNode(askCommand(year))).sort((a, b) => a.cpuMs - b.cpuMs);
    const byPass = runs[2] as (typeof runs)[number];
    const ratio = byPass.cpuMs / bySql.cpuMs;
    yield {
        what: 'anomalies of a year / the view in SQL, once (CPU)',
        found: `${sayRatio(ratio)}  (${say(byPass)} / ${say(bySql)})`,
        goal: { text: 'at most 0.10x, 250 MB', isMet: ratio <= 0.1 && byPass.peakMb <= 250 },
        isEqual: runs.every(({ stdout }) => stdout === bySql.stdout),
    };
}

function askCommand(lake: string): string[] {
    return [PROGRAM, '--lake', lake, 'anomalies', '--limit', '100000', '--output', 'csv'];
}

function askSql(lake: string): string[] {
    return [PROGRAM, '--lake', lake, 'query', IN_ORDER, '--output', 'csv'];
}

function say({ cpuMs, peakMb }: { cpuMs: number; peakMb: number }): string {
    return `${(cpuMs / 1000).toFixed(2)} s, ${peakMb.toFixed(0)} MB`;
}
