/** The key that tickets for live events are signed with: the same for all functions that run at once, made by the first that needs it. */
import { randomBytes } from 'node:crypto';
import type { StateCalls } from './state-calls.ts';
import { toRecord } from './state-records.ts';

const KEY = toRecord({ part: 'keys', place: 'tickets' });

/** @param calls to the table of lake/cloud/socket-table.ts @throws StorageError where it can be neither read nor made */
export async function openTicketKey(calls: StateCalls): Promise<Uint8Array> {
    for (;;) {
        const known = (await calls.get(KEY))?.key?.B;
        if (known !== undefined) {
            return known;
        }
        await calls.write([{ put: { ...KEY, ...toRecord({ key: randomBytes(32) }) }, if: { is: 'absent', column: 'part' } }]);
    }
}
