/** Opens latest state of a lake, for one command: that of a served lake, which may be open in the process that serves, too, or that of a deployed one. */
import { existsSync } from 'node:fs';
import type { BucketLake, DirectoryLake, Lake } from '#lake/lake';
import type { ApiServices } from '#lake/live/api/services';
import { Failure, type RunContext } from './command.ts';
import { useLake } from './use-lake.ts';

/** Latest state as the API asks it, wherever it is. */
type State = Pick<ApiServices, 'devices' | 'device' | 'alerts' | 'acknowledge'>;

export interface OpenState {
    state: State;
    lake: Lake;
}

/** @throws Failure for a lake that was never served, NotFoundError for a deployed one without live telemetry */
export async function useState<T>(context: RunContext, use: (open: OpenState) => Promise<T>): Promise<T> {
    return useLake(context, async (lake) =>
        lake.kind === 's3'
            ? use({ lake, state: await openDeployed(lake, context) })
            : useServed(lake, context, (state) => use({ lake, state })),
    );
}

async function openDeployed(lake: BucketLake, { stderr, now }: RunContext): Promise<State> {
    const { names } = await lake.telemetry();
    if (names.apiUrl === undefined) {
        await stderr.write('Telemetry of this stage is off, and devices are not let in: this is how it was\n');
    }
    return lake.state({ now });
}

async function useServed<T>(lake: DirectoryLake, context: RunContext, use: (state: State) => Promise<T>): Promise<T> {
    const [{ openStateDatabase }, { openStateQueries }, { stateServices }, { liveFile }, { askServe }] = await Promise.all([
        import('#lake/serve/state-database'),
        import('#lake/serve/state-queries'),
        import('#lake/serve/state-services'),
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
        // Where nobody serves the lake, latest state stands still.
        const isPipelineLate = !isServed || state.pipelineLateSince() !== undefined;
        const clock = { nowMs, watermarkMs: nowMs, watchedSinceMs: 0, isPipelineLate };
        return await use(stateServices({ state, queries: openStateQueries(state.database), clock: () => clock }));
    } finally {
        state.close();
    }
}
