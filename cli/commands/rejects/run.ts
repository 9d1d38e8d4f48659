/** Shows the rows that could not be used, as they were read. */

import type { RunContext } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import { findSource } from '#cli/find-source';
import { useFigures } from '#cli/use-figures';
import type { Kind } from '#lake/kind';
import { findKind, kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { rejectsSql } from '#lake/reports/rejects';

interface RejectsOptions {
    limit: number;
}

/** Prints the rejects of the source, or of all. */
export async function showRejects(name: string | undefined, { limit }: RejectsOptions, context: RunContext): Promise<number> {
    return useFigures(context, async (lake) => {
        const source = name === undefined ? null : await nameSource(lake, name, context);
        const engine = await lake.engine();
        const kind = source === null ? undefined : findKind(source);
        const sql = rejectsSql(kind ? [kind] : await kindsThere(lake, context));
        const rows = await engine.query(sql, { parameters: [source, BigInt(limit)], signal: context.signal });
        const shown = await printRows(rows, context);
        if (shown === limit) {
            await context.stderr.write(`These are the first ${limit}; --limit <n> shows more\n`);
        }
        return 0;
    });
}

/** The kinds that the lake has sources of: columns that only others have would be empty. All where it has none. */
async function kindsThere(lake: Lake, { signal }: Pick<RunContext, 'signal'>): Promise<readonly Kind[]> {
    const engine = await lake.engine();
    // One source of each first folder below raw/.
    const { batches } = await engine.query("select min(source) as source from sources group by split_part(source, '/', 2)", { signal });
    const there = new Set<Kind | undefined>();
    for await (const batch of batches) {
        for (const [source] of batch) {
            there.add(findKind(String(source)));
        }
    }
    const found = kinds.filter((kind) => there.has(kind));
    return found.length > 0 ? found : kinds;
}

/** The one source that is named, or whose key ends so; says so where it is no usable file. @throws Failure where there is none */
async function nameSource(lake: Lake, name: string, { signal, stderr }: Pick<RunContext, 'signal' | 'stderr'>): Promise<string> {
    const engine = await lake.engine();
    const { batches } = await engine.query('select source, error from sources order by source', { signal });
    const errors = new Map<string, string>();
    for await (const batch of batches) {
        for (const [source, error] of batch) {
            errors.set(String(source), String(error ?? ''));
        }
    }
    const source = findSource(name, [...errors.keys()]);
    const error = errors.get(source);
    if (error !== '') {
        await stderr.write(`${source} could not be used at all: ${error}\n`);
    }
    return source;
}
