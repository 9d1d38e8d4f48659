/** Opens latest state of a lake: that of a served lake, which may be open in the process that serves, too, or that of a deployed one. */
import { existsSync } from 'node:fs';
import type { BucketLake, DirectoryLake, Lake } from '#lake/lake';
import type { ApiServices } from '#lake/live/api/services';
import { Failure, type RunContext } from './command.ts';
import { useLake } from './use-lake.ts';

/** Latest state as the API asks it, wherever it is. */
type State = Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts' | 'acknowledge'>;

export interface OpenState {
    state: State;
    lake: Lake;
}

interface ServedState {
    state: State;
    /** True if somebody served the lake when it was opened. */
    isServed: boolean;
    close(): void;
}

/** Whoever keeps latest state open looks this often whether somebody serves the lake. */
const LOOK_MS = 5_000;

/** Opens latest state for one command. @throws Failure for a lake that was never served, NotFoundError for a deployed one without live telemetry */
export async function useState<T>(context: RunContext, use: (open: OpenState) => Promise<T>): Promise<T> {
    return useLake(context, async (lake) =>
        lake.kind === 's3'
            ? use({ lake, state: await openDeployed(lake, context) })
            : useServed(lake, context, (state) => use({ lake, state })),
    );
}

/** Latest state of an open lake, until it is closed; undefined where it has none. @throws StorageError */
export async function openLatestState(lake: Lake, { now }: Pick<RunContext, 'now'>): Promise<{ state: State; close(): void } | undefined> {
    if (lake.kind === 's3') {
        return (await lake.hasTelemetry()) ? { state: await lake.state({ now }), close: () => undefined } : undefined;
    }
    return openServed(lake, { now });
}

async function openDeployed(lake: BucketLake, { stderr, now }: RunContext): Promise<State> {
    const { names } = await lake.telemetry();
    if (names.apiUrl === undefined) {
        await stderr.write('Telemetry of this stage is off, and devices are not let in: this is how it was\n');
    }
    return lake.state({ now });
}

async function useServed<T>(lake: DirectoryLake, context: RunContext, use: (state: State) => Promise<T>): Promise<T> {
    const served = await openServed(lake, context);
    if (!served) {
        throw new Failure(
            'This lake was never served, so that there is no latest state: flowlake serve begins it; flowlake devices and alerts ask the tables',
        );
    }
    try {
        if (!served.isServed) {
            await context.stderr.write('Nobody serves this lake now: this is how it was\n');
        }
        return await use(served.state);
    } finally {
        served.close();
    }
}

/** The state that serve keeps; undefined for a lake that was never served. */
async function openServed({ directory }: DirectoryLake, { now }: Pick<RunContext, 'now'>): Promise<ServedState | undefined> {
    const [{ openStateDatabase }, { openStateQueries }, { stateServices }, { liveFile }, { askServe }] = await Promise.all([
        import('#lake/serve/state-database'),
        import('#lake/serve/state-queries'),
        import('#lake/serve/state-services'),
        import('#lake/serve/live-files'),
        import('#lake/serve/control'),
    ]);
    const file = liveFile(directory, 'state.sqlite');
    if (!existsSync(file)) {
        return undefined;
    }
    const look = async (within = {}) => (await askServe(directory, 'status', within)) !== undefined;
    let isServed = await look();
    const state = openStateDatabase(file);
    const looking = setInterval(() => {
        // Who serves it but does not answer is not known to serve it.
        look({ withinMs: LOOK_MS }).then(
            (found) => {
                isServed = found;
            },
            () => {
                isServed = false;
            },
        );
    }, LOOK_MS);
    looking.unref();
    const clock = () => {
        const nowMs = now().getTime();
        // Where nobody serves the lake, latest state stands still.
        return { nowMs, watermarkMs: nowMs, watchedSinceMs: 0, isPipelineLate: !isServed || state.pipelineLateSince() !== undefined };
    };
    return {
        state: stateServices({ state, queries: openStateQueries(state.database), clock }),
        isServed,
        close() {
            clearInterval(looking);
            state.close();
        },
    };
}
