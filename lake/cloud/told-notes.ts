/** Notes at records of events how many of them SNS has taken. */
import { StateCalls } from './state-calls.ts';
import { numberIn, toRecord } from './state-records.ts';
import type { CloudStateOptions } from './state-store.ts';

/** Key of a record of events. */
export interface EventsKey {
    part: string;
    place: string;
}

export interface ToldNotes {
    /** How many of the record's events were told; 0 where none is noted. */
    told(key: EventsKey): Promise<number>;
    note(key: EventsKey, count: number): Promise<void>;
}

export function openToldNotes({ client, table }: Pick<CloudStateOptions, 'client' | 'table'>): ToldNotes {
    const calls = new StateCalls({ client, table });
    return {
        async told({ part, place }) {
            const record = await calls.get(toRecord({ part, place }));
            return (record && numberIn(record, 'told_count')) ?? 0;
        },
        async note({ part, place }, count) {
            // A record that is too old is gone: nobody asks for the note then.
            await calls.write([{ key: toRecord({ part, place }), set: { told_count: count }, if: { is: 'present', column: 'part' } }]);
        },
    };
}
