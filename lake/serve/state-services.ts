/** What the API asks of latest state, out of the database of one machine. */
import type { ApiServices, EventLog, Page } from '#lake/live/api/services';
import type { LiveClock } from '#lake/live/device-state';
import type { StateDatabase } from './state-database.ts';
import type { StateQueries } from './state-queries.ts';

export interface StateServicesOptions {
    state: StateDatabase;
    queries: StateQueries;
    /** What time it is for latest state. */
    clock: () => LiveClock;
}

type StateServices = Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts' | 'acknowledge'> & { events: EventLog };

export function stateServices({ state, queries, clock }: StateServicesOptions): StateServices {
    return {
        async fleet() {
            return { answer: queries.fleet(clock()), version: undefined };
        },
        async devices({ limit, ...asked }) {
            return { answer: pageOf(queries.devices({ ...asked, limit: limit + 1 }, clock()), limit), version: undefined };
        },
        async device(id) {
            const answer = queries.device(id, clock());
            // Versions begin anew in a database that was made anew.
            return answer && { answer, version: `${state.name} ${answer.item.version} ${answer.state}` };
        },
        async alerts({ limit, ...asked }) {
            return { answer: pageOf(queries.alerts({ ...asked, limit: limit + 1 }), limit), version: undefined };
        },
        acknowledge: async ({ id, by, note }) => state.acknowledge(id, { by, note, atMs: clock().nowMs }),
        events: {
            last: async () => String(queries.lastEvent()),
            async read({ after, limit, isLatestWanted }) {
                const { events, isWhole } = queries.events({ after: Number(after), limit, latest: isLatestWanted });
                return isWhole ? events.map(({ id, event }) => ({ id: String(id), event })) : undefined;
            },
            onAdded: (listener) => state.onEvents(listener),
        },
    };
}

/** The page, of which one more was asked for. */
function pageOf<T>(found: readonly T[], limit: number): Page<T> {
    return { items: found.slice(0, limit), hasMore: found.length > limit };
}
