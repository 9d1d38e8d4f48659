/**
 * The port to the inbox: the ordered stream that takes messages in. Embedded it is a table of a database, on AWS the shards of a Kinesis stream.
 * A message is acknowledged to its device once `append` has resolved, and never before.
 */
import type { ChainMessage } from '#lake/telemetry/chain-line';

/** The largest payload: AWS IoT Core takes as much (https://docs.aws.amazon.com/general/latest/gr/iot-core.html). */
export const MAX_PAYLOAD_BYTES = 131_072;

/** A message as a way in hands it over. Its sequence number is the inbox's to give. */
export type NewMessage = Omit<ChainMessage, 'sequence'>;

/** The way in of an inbox. */
export interface InboxWriter {
    /** Stores the message durably. Resolves in the order of the calls, with its sequence number. @throws StorageError where it is not in the inbox */
    append(message: NewMessage): Promise<string>;
}

/** How far a stream of another lake was taken in. */
export interface Origin {
    /** Name of the stream there. */
    stream: string;
    /** Device whose certificate hands the stream on; no other one may. */
    gateway: string;
    /** Its last sequence number that was taken. */
    end: string;
}

/** The way in of what other lakes hand on. */
export interface OriginWriter {
    /** How far the stream was taken in; undefined where nothing of it ever came. */
    findOrigin(stream: string): Origin | undefined;
    /** Stores the messages and how far their stream is with them, all or nothing. @throws StorageError where nothing of it is in the inbox */
    appendOf(origin: Origin, messages: readonly NewMessage[]): Promise<void>;
}

export interface ReadOptions {
    /** Sequence number of the last message that the caller has; `0` for none. */
    after: string;
    maxMessages: number;
    maxBytes: number;
}

/** What the consumers of an embedded inbox see: only messages that are durable. */
export interface InboxReader {
    /** Name of the stream of numbers that this inbox gives: another one where numbers begin again. */
    readonly stream: string;
    /** Messages behind `after`, in order; one at least where there is one, however large. */
    read(options: ReadOptions): ChainMessage[];
    /** Sequence number of the last durable message; `0` where there never was one. */
    last(): string;
    /** Calls back after messages have become durable. @returns what ends that */
    onAppended(listener: () => void): () => void;
}
