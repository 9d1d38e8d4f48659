/** Opens latest state of a served lake, for one command. It may be open in the process that serves, too. */
import { existsSync } from 'node:fs';
import type { DirectoryLake } from '#lake/lake';
import type { LiveClock } from '#lake/live/device-state';
import type { StateDatabase } from '#lake/serve/state-database';
import type { StateQueries } from '#lake/serve/state-queries';
import { Failure, type RunContext } from './command.ts';
import { useLake } from './use-lake.ts';

export interface OpenState {
    state: StateDatabase;
    queries: StateQueries;
    lake: DirectoryLake;
    /** What time it is for latest state: where nobody serves the lake it stands still. */
    clock: LiveClock;
}

/** @throws Failure for a deployed lake, and for one that was never served */
export async function useState<T>(context: RunContext, use: (open: OpenState) => Promise<T>): Promise<T> {
    return useLake(context, async (lake) => {
        if (lake.kind !== 'directory') {
            throw new Failure('Latest state of a deployed lake is not asked from here yet: flowlake devices and alerts ask its tables');
        }
        const [{ openStateDatabase }, { openStateQueries }, { liveFile }, { askServe }] = await Promise.all([
            import('#lake/serve/state-database'),
            import('#lake/serve/state-queries'),
            import('#lake/serve/live-files'),
            import('#lake/serve/control'),
        ]);
        const file = liveFile(lake.directory, 'state.sqlite');
        if (!existsSync(file)) {
            throw new Failure(
                'This lake was never served, so that there is no latest state: flowlake serve begins it; flowlake devices and alerts ask the tables',
            );
        }
        const isServed = (await askServe(lake.directory, 'status')) !== undefined;
        if (!isServed) {
            await context.stderr.write('Nobody serves this lake now: this is how it was\n');
        }
        const state = openStateDatabase(file);
        try {
            const nowMs = context.now().getTime();
            const isPipelineLate = !isServed || state.pipelineLateSince() !== undefined;
            return await use({
                lake,
                state,
                queries: openStateQueries(state.database),
                clock: { nowMs, watermarkMs: nowMs, watchedSinceMs: 0, isPipelineLate },
            });
        } finally {
            state.close();
        }
    });
}
