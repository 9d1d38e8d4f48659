/** Verifies a lake, and mends it where that is asked for. */
import type { RunContext } from '#cli/command';
import { openProgress, type Progress } from '#cli/draw/progress';
import { openStatusLine } from '#cli/draw/status-line';
import { useLake } from '#cli/use-lake';
import { findPending } from '#lake/commit/repair';
import { UsageError } from '#lake/errors';
import { verifyLake } from '#lake/verify/verify';
import type { VerifyProgress } from '#lake/verify/verify-kind';
import { repairVerified } from './repair.ts';
import { exitCodeOf, showVerification } from './report.ts';

export interface VerifyOptions {
    /** First and last day to compare. */
    from: string | undefined;
    to: string | undefined;
    /** How many differences are shown. */
    limit: number;
    repair: boolean;
    /** True with `repair` only says what would be done. */
    dryRun: boolean;
    allowPruned: boolean;
}

/** Shows what differs, and with `repair` mends it. @returns the exit code: 0 all equal, 1 differences, 3 not all could be checked */
export async function verifyAndRepair(options: VerifyOptions, context: RunContext): Promise<number> {
    const { from, to, limit, repair, dryRun, allowPruned } = options;
    if (dryRun && !repair) {
        throw new UsageError('--dry-run is for --repair: verify alone changes nothing');
    }
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const pending = repair ? await findPending(store) : undefined;
        const bar = openBar(context);
        const result = await verifyLake({
            store,
            pending,
            from,
            to,
            allowPruned,
            maxListed: limit,
            now: context.now(),
            signal: context.signal,
            onProgress: bar.onProgress,
        }).finally(bar.stop);
        await showVerification(result, context);
        return pending
            ? repairVerified(lake, { result, pending, isDryRun: dryRun, asked: { from, to, allowPruned }, context })
            : exitCodeOf(result.verdict);
    });
}

/** Opens a bar for the sources' bytes, and behind them a line that says which period is compared. */
function openBar({ stderr, now }: Pick<RunContext, 'stderr' | 'now'>) {
    const line = openStatusLine(stderr);
    let progress: Progress | undefined;
    let seenBytes = 0;
    return {
        onProgress({ doing, current, done, total }: VerifyProgress): void {
            if (doing === 'sources') {
                progress ??= openProgress({ stderr, now, doing: 'Verifying', totalBytes: total });
                progress.advance(done - seenBytes);
                seenBytes = done;
            } else {
                void line.draw(`Comparing ${current}  ${done + 1} of ${total}`);
            }
        },
        async stop(): Promise<void> {
            await progress?.stop();
            await line.clear();
        },
    };
}
