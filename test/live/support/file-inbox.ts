/** An inbox in a file of lines, for a broker by itself: each message is on the disk before it is acknowledged. */
import { closeSync, fdatasync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { InboxWriter, NewMessage } from '#lake/live/inbox';
import { decodeLine, encodeMessage } from '#lake/telemetry/chain-line';

/** A message as the lake has taken it in. */
export interface TakenMessage {
    device: string;
    topic: string;
    payload: string;
    refused: string | undefined;
}

export function openFileInbox(path: string): InboxWriter & { close(): void } {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(path, 'a');
    let sequence = 0;
    let waiting: (() => void)[] = [];
    let isSyncing = false;
    const sync = (): void => {
        const written = waiting;
        waiting = [];
        isSyncing = written.length > 0;
        if (isSyncing) {
            fdatasync(fd, () => {
                for (const done of written) {
                    done();
                }
                sync();
            });
        }
    };
    return {
        append(message: NewMessage) {
            sequence += 1;
            const own = `${sequence}`;
            writeSync(fd, `${encodeMessage({ ...message, sequence: own })}\n`);
            return new Promise((resolve) => {
                waiting.push(() => resolve(own));
                if (!isSyncing) {
                    setImmediate(sync);
                    isSyncing = true;
                }
            });
        },
        close: () => closeSync(fd),
    };
}

/** What stands in such a file. A line that a kill has cut short was never acknowledged. */
export async function readInbox(path: string): Promise<TakenMessage[]> {
    const lines = (await readFile(path, 'utf8')).split('\n');
    return lines.flatMap((line) => {
        const decoded = decodeLine(line);
        if (decoded.is !== 'message') {
            return [];
        }
        const { device = '', topic = '', payload, refused } = decoded.message;
        return [{ device, topic, payload: `${payload}`, refused }];
    });
}
