/** Sends by PutRecords into the stream of programs, as programs do: the partition key is the device. */
import { openStreamWriter } from '#lake/cloud/kinesis-inbox';
import { createKinesisClient } from '#lake/cloud/kinesis-stream';
import { StorageError, UsageError } from '#lake/errors';
import type { Way, WayOptions } from './way.ts';

export async function openKinesisWay({ to, environment, onTrouble }: WayOptions): Promise<Way> {
    const stream = decodeURIComponent(to.pathname);
    if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(stream)) {
        throw new UsageError(`${to} names no stream: write kinesis:flowlake-dev-programs`);
    }
    const client = createKinesisClient({ environment });
    const writer = openStreamWriter({ client, stream, onTrouble });
    let isClosed = false;
    return {
        async send(device, { payload }) {
            for (;;) {
                try {
                    await writer.put(device, Buffer.from(payload));
                    return;
                } catch (error) {
                    // What has a cause is refused for good; else it was not taken in time, and is sent again, as programs do.
                    if (isClosed || !(error instanceof StorageError) || error.cause !== undefined) {
                        throw error;
                    }
                    onTrouble(error.message);
                }
            }
        },
        async close() {
            isClosed = true;
            client.destroy();
        },
    };
}
