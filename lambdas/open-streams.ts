/** The streams of live telemetry, as a function finds them. */
import type { Environment } from '#lake/aws/client-config';
import type { RecordSource } from '#lake/cloud/kinesis-record';
import { createKinesisClient, streamIdOf } from '#lake/cloud/kinesis-stream';
import { UsageError } from '#lake/errors';

export interface Streams {
    client: ReturnType<typeof createKinesisClient>;
    /** Name of the stream that the lake's own ways in write. */
    telemetry: string;
    /** What is read from the stream of this name. @throws UsageError for one that the settings do not name */
    sourceOf(stream: string): RecordSource;
    /** All streams, with the names that their chains have. @throws StorageError where these cannot be told */
    streams(): Promise<{ name: string; id: string }[]>;
    /** Name that the stream's chains have, asked once. @throws StorageError where it cannot be told */
    streamIdOf(stream: string): Promise<string>;
}

/** The streams that STREAM and PROGRAM_STREAM name; the second one may be missing. @throws UsageError where the first one is not set */
export function openStreams(environment: Environment): Streams {
    const client = createKinesisClient({ environment });
    const telemetry = environment.STREAM ?? '';
    if (telemetry === '') {
        throw new UsageError('the function has no environment variable STREAM: deploy it with npx cdk deploy, which sets it');
    }
    const ids = new Map<string, Promise<string>>();
    const idOf = (stream: string): Promise<string> => {
        const id = ids.get(stream) ?? streamIdOf(client, stream);
        ids.set(stream, id);
        id.catch(() => ids.delete(stream));
        return id;
    };
    const names = [telemetry, environment.PROGRAM_STREAM ?? ''].filter((name) => name !== '');
    return {
        client,
        telemetry,
        sourceOf(stream) {
            if (stream !== telemetry && stream !== environment.PROGRAM_STREAM) {
                throw new UsageError(`the event is of stream ${stream}, which is none of the lake's: take its event source away`);
            }
            return stream === telemetry ? 'telemetry' : 'programs';
        },
        streams: () => Promise.all(names.map(async (name) => ({ name, id: await idOf(name) }))),
        streamIdOf: idOf,
    };
}
