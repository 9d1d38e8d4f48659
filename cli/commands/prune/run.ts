/** Frees the raw bytes that the figures no longer need, and shows which. */
import { changeLake } from '#cli/change-lake';
import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { useLake } from '#cli/use-lake';
import { findPrunable, type PruneFinding, prune } from '#lake/commit/prune';
import { UsageError } from '#lake/errors';
import { keepIn } from '#lake/live/list-datasets';
import { sayBytes } from '#lake/say-size';

interface PruneOptions {
    rawBefore: string | undefined;
    dryRun: boolean;
}

const COLUMNS = [
    { name: 'source', type: 'varchar' },
    { name: 'size_bytes', type: 'bigint' },
    { name: 'result', type: 'varchar' },
];

/** Prints what became of each raw file, or would become of it. */
export async function freeRawFiles({ rawBefore, dryRun }: PruneOptions, context: RunContext): Promise<number> {
    if (rawBefore === undefined) {
        throw new UsageError('Give the first day whose raw files stay: --raw-before 2026-01-01');
    }
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const findings: PruneFinding[] = [];
        if (dryRun) {
            await collectInto(findings, findPrunable(store, { before: rawBefore, now: context.now() }), context);
        } else {
            const index = lake.kind === 's3' ? await lake.datasets(context) : undefined;
            const keeper = index && keepIn(index, { store, now: context.now });
            try {
                await changeLake(lake, context, () =>
                    collectInto(findings, prune(store, { before: rawBefore, now: context.now(), keeper }), context),
                );
            } catch (error) {
                // What is freed is gone for ever: it is said whatever came after.
                if (findings.length > 0) {
                    await print(findings, { dryRun, context });
                }
                throw error;
            }
        }
        await print(findings, { dryRun, context });
        return 0;
    });
}

async function print(findings: readonly PruneFinding[], { dryRun, context }: { dryRun: boolean; context: RunContext }): Promise<void> {
    const free = findings.filter(({ canGo }) => canGo);
    const rows = findings.map((finding) => {
        const result = finding.canGo ? (dryRun ? 'would go' : 'freed') : `stays: ${finding.reason}`;
        return [finding.key, BigInt(finding.raw.sizeBytes), result];
    });
    await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
    const freedBytes = free.reduce((sum, { raw }) => sum + raw.sizeBytes, 0);
    await context.stderr.write(`${dryRun ? 'Would free' : 'Freed'} ${sayBytes(freedBytes)} of ${sayCount(free.length, 'raw file')}\n`);
}

async function collectInto(
    all: PruneFinding[],
    findings: AsyncIterable<PruneFinding>,
    { signal }: Pick<RunContext, 'signal'>,
): Promise<void> {
    for await (const finding of findings) {
        all.push(finding);
        signal.throwIfAborted();
    }
}
