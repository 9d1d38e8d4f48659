/** `flowlake rejects`: which rows could not be used, where they stand and why. */
import { type Context, defineCommand } from '#cli/command';
import type { Lake } from '#cli/lake';
import { whole } from '#cli/option';

export const rejects = defineCommand({
    name: 'rejects',
    summary: 'the rows that could not be used, where they stand and why',
    details: 'docs/reading.md explains the reasons.',
    arguments: { source: { meaning: 'a raw key, or how it ends: monday.csv; all sources where it is left out', count: 'one or none' } },
    options: { limit: whole('--limit <n>', 'how many rows at most', { fallback: 100 }) },
    examples: [
        { line: 'rejects', does: 'the first hundred of all sources' },
        { line: 'rejects monday.csv', does: 'those of one file' },
        { line: 'query "select reason, count(*) as row_count from rejects group by reason"', does: 'how many for which reason' },
    ],
    async run({ arguments: { source: name }, options: { limit }, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        const { printRows } = await import('#cli/draw/print-rows');
        return useLake(context, async (lake) => {
            const source = name === undefined ? null : await nameSource(lake, name, context);
            const shown = await printRows(await lake.ask('rejects', [source, BigInt(limit)]), context);
            if (shown === limit) {
                await context.stderr.write(`These are the first ${limit}; --limit <n> shows more\n`);
            }
            return 0;
        });
    },
});

/** The one source that is named, or whose key ends so; says so where it is no usable file. @throws Failure where there is none */
async function nameSource(lake: Lake, name: string, { signal, stderr }: Pick<Context, 'signal' | 'stderr'>): Promise<string> {
    const { findSource } = await import('#cli/find-source');
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
