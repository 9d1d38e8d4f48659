/** Rows whose figures cannot be those of any flows: for what cannot be compared with a recompute. */
import { type Engine, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';

interface Rule {
    figure: string;
    /** SQL that holds for what is possible. */
    isPossible: string;
    expected: string;
}

const RULES: readonly Rule[] = [
    { figure: 'flows', isPossible: 'flows > 0', expected: 'above 0' },
    ...['flow_duration_us', 'fwd_pkts'].flatMap((measure): Rule[] => {
        const [sum, sumSq, min, max] = ['sum', 'sum_sq', 'min', 'max'].map((part) => `${measure}_${part}`);
        return [
            { figure: `${min}`, isPossible: `${min} between 0 and ${max}`, expected: 'from 0 to the largest' },
            {
                figure: `${sum}`,
                isPossible: `${sum} between ${min} * flows and ${max} * flows`,
                expected: 'between the smallest and the largest, times flows',
            },
            {
                figure: `${sumSq}`,
                isPossible: `${sumSq} between ${max} * ${max} and ${max} * ${sum}`,
                expected: 'between the largest squared and the largest times the sum',
            },
        ];
    }),
];

/** Adds each figure of the table (site, src_ip, dst_ip, day as text, figures as hugeint) that is impossible, and each row that stands there twice. */
export async function findImpossible(
    engine: Engine,
    { table, kind, source }: { table: string; kind: 'summary' | 'pair_day'; source?: string },
    findings: Findings,
): Promise<void> {
    const keys = ['site', 'src_ip', 'dst_ip', 'day'];
    const about = { kind, ...(source !== undefined && { source }) };
    for (const { figure, isPossible, expected } of RULES) {
        const where = `from ${table} where not coalesce(${isPossible}, false)`;
        const rows = await engine.rows(`select ${keys.join(', ')}, ${figure} as figure ${where} order by all limit ${findings.room}`);
        const [total] = await engine.rows(`select count(*) as impossible ${where}`);
        findings.add(...rows.map((row) => ({ ...about, ...keysOf(row), figure, in_lake: wholeOf(row, 'figure'), recomputed: expected })));
        findings.addUnlisted(Number(wholeOf(total, 'impossible') ?? 0n) - rows.length);
    }
    const twice = await engine.rows(
        `select ${keys.join(', ')}, count(*) as copies from ${table} group by all having count(*) > 1 order by all`,
    );
    findings.add(...twice.map((row) => ({ ...about, ...keysOf(row), figure: 'rows', in_lake: wholeOf(row, 'copies'), recomputed: 1n })));
}

function keysOf(row: Parameters<typeof textOf>[0]): Pick<Difference, 'site' | 'src_ip' | 'dst_ip' | 'day'> {
    return {
        site: textOf(row, 'site') ?? '',
        src_ip: textOf(row, 'src_ip') ?? '',
        dst_ip: textOf(row, 'dst_ip') ?? '',
        day: textOf(row, 'day') ?? '',
    };
}
