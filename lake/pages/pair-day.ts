/** The files that a pair's figures of one day come from, and whether they come to what the lake says. */
import { z } from '@hono/zod-openapi';
import { flows } from '#lake/flows/kind';
import { mergedKey } from '#lake/layout';
import { explainRows } from '#lake/reports/explain';
import { findMismatches, nameOf } from '#lake/reports/explain-report';
import type { Rows } from '#lake/rows';
import { commandLine } from './command-line.ts';
import { Day } from './day.ts';
import { definePage, type Json } from './page.ts';
import { AddressText } from './pair.ts';

interface PairDayParameters {
    src: string;
    dst: string;
    site: string;
    day: string;
}

const FIGURES = ['flows', 'timed_flows', 'flow_duration_us_sum', 'fwd_pkts_sum'] as const;

export const pairDayPage = definePage<PairDayParameters>({
    name: 'pair-day',
    parameters: z.strictObject({ src: AddressText, dst: AddressText, site: z.string().min(1), day: Day }),
    // The objects of the day are taken from the store, which costs nothing by what is scanned.
    reads: () => [],
    async answer({ src, dst, site, day }, { lake, signal }) {
        const store = await lake.store();
        if (!(await store.head(mergedKey(flows.merged, day)))) {
            return { state: 'no_flows', day };
        }
        const explanation = await explainRows({ kind: flows, key: { src_ip: src, dst_ip: dst, site }, period: day }, { store, signal });
        const { parts, total, inLake } = explanation;
        if (parts.length === 0 && (inLake.site?.length ?? 0) === 0 && explanation.missing.length === 0) {
            return { state: 'none', day };
        }
        const all = BigInt(String(total.flows?.[0] ?? 0));
        return {
            state: 'found',
            day,
            files: parts.map((part): Json => {
                const own = figuresOf(part.rows);
                return {
                    source: nameOf(part),
                    version: part.version,
                    summarizedAt: part.record ? Date.parse(part.record.summarized_at) : null,
                    rowsKept: part.record ? String(part.record.rows_kept) : null,
                    rowsRejected: part.record ? String(part.record.rows_rejected) : null,
                    ...own,
                    share: all > 0n ? Number(own.flows) / Number(all) : null,
                };
            }),
            total: figuresOf(total),
            inLake: figuresOf(inLake),
            mismatches: findMismatches(explanation, flows),
            command: commandLine(lake, ['explain', src, dst, day, '--site', site, '--lines']),
        };
    },
});

/** The figures of the first row, with all their digits; 0 where there is no row. */
function figuresOf(rows: Rows): Record<(typeof FIGURES)[number], string> {
    return Object.fromEntries(FIGURES.map((name) => [name, String(rows[name]?.[0] ?? 0)])) as Record<(typeof FIGURES)[number], string>;
}
