/** Makes latest state of a deployed lake anew from its tables. */
import { performance } from 'node:perf_hooks';
import { Failure, type RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { useLake } from '#cli/use-lake';
import { UsageError } from '#lake/errors';
import { LiveProfiles } from '#lake/live/live-profiles';
import { rebuildState } from '#lake/live/rebuild-state';

interface LatestOptions {
    from: string | undefined;
    to: string | undefined;
    dryRun: boolean;
    anew: boolean;
}

/** Brings latest state up to what the tables have, and says how much that is. @throws Failure for a lake in a directory */
export async function rebuildLatest({ from, to, dryRun, anew }: LatestOptions, context: RunContext): Promise<number> {
    if (from !== undefined || to !== undefined || dryRun || anew) {
        throw new UsageError('rebuild --latest stands alone: leave --from, --to, --dry-run and --anew out');
    }
    return useLake(context, async (lake) => {
        if (lake.kind !== 's3') {
            throw new Failure('Latest state of a lake in a directory is made anew by flowlake serve, where live/state.sqlite is not there');
        }
        const store = await lake.store();
        const profiles = new LiveProfiles({
            store,
            monotonicMs: () => performance.now(),
            onFault: (what) => void context.stderr.write(`${what}\n`),
        });
        const { devices, metrics, openAlerts, fromDay } = await rebuildState({
            ...{ store, profiles, engine: await lake.engine(), state: await lake.state({ now: context.now }) },
            // Streams are followed by the function latest: what it has taken since stays.
            inLake: { stream: '', sequence: '0' },
            nowMs: context.now().getTime(),
        });
        await context.stdout.write(
            `${sayCount(devices, 'device')} with ${sayCount(metrics, 'metric')} and ${sayCount(openAlerts, 'open alert')}, from readings since ${fromDay}\n`,
        );
        return 0;
    });
}
