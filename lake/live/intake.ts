/**
 * What every way in does with a message of a device that it knows: it goes into the inbox as the device's own, with the profile and site of now. What is not the
 * device's to say is put aside: it goes there too, marked, and becomes a reject. A way in never answers it with an error, because every client would send it
 * again for ever, and nothing behind it would get through.
 */
import type { Way } from '#lake/telemetry/chain-line';
import { type InboxWriter, MAX_PAYLOAD_BYTES } from './inbox.ts';
import type { KnownDevices } from './known-devices.ts';
import { isOwnTopic } from './own-topics.ts';

/** Messages of a device that are put aside and kept in an hour; of the others their number is. */
const MAX_ASIDE_IN_HOUR = 1_000;

/** A message that is put aside keeps this much: more is never shown of a reject. */
const MAX_ASIDE_CHARACTERS = 4_096;
const MAX_CHARACTER_BYTES = 4;

/** Longer topics are cut where they are told of; no pattern of a profile fits such. */
const MAX_TOPIC_CHARACTERS = 1_024;

const HOUR_MS = 3_600_000;

export interface Arrival {
    way: Way;
    /** Id of the device as it was authenticated. */
    device: string;
    topic?: string | undefined;
    session?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    payload: Buffer;
    /** Why the way in itself puts it aside; the payload may be cut already. */
    refused?: string | undefined;
}

export interface IntakeOptions {
    inbox: InboxWriter;
    devices: Pick<KnownDevices, 'find'>;
    now: () => number;
    /** Called once an hour for a device of which more is put aside than is kept. */
    say: (line: string) => void;
}

/** What a device had put aside since an hour began. */
interface Aside {
    hour: number;
    way: Way;
    kept: number;
    dropped: number;
}

export class Intake {
    readonly #options: IntakeOptions;
    readonly #aside = new Map<string, Aside>();
    #last: Promise<unknown> = Promise.resolve();
    /** Messages that went into the inbox, those of them that were put aside, and those that were only counted. */
    readonly counts = { taken: 0, aside: 0, dropped: 0 };

    constructor(options: IntakeOptions) {
        this.#options = options;
    }

    /**
     * Stores the message. Resolves once it is durable, in the order of the calls: then, and not before, it is acknowledged.
     * @returns why it was put aside; undefined where it counts as the device's own
     * @throws StorageError where it is not in the inbox; it must not be acknowledged then
     */
    async take(arrival: Arrival): Promise<string | undefined> {
        const { way, device, topic, session, headers, payload } = arrival;
        const known = this.#options.devices.find(device);
        const refused = this.#whyRefused(arrival, known?.patterns ?? []);
        if (refused !== undefined && !this.#keeps(device, way)) {
            // Its acknowledgement stands behind those of the messages before it.
            await this.#last;
            this.counts.dropped += 1;
            return refused;
        }
        const stored = this.#options.inbox.append({
            arrivedMs: this.#options.now(),
            way,
            device,
            topic: topic?.slice(0, MAX_TOPIC_CHARACTERS),
            session,
            headers,
            profile: known?.profile,
            site: known?.site,
            refused,
            payload: refused === undefined ? payload : cut(payload),
        });
        this.#last = stored;
        await stored;
        this.counts.taken += 1;
        this.counts.aside += refused === undefined ? 0 : 1;
        return refused;
    }

    /**
     * Says in the inbox how many messages were put aside and not kept in hours that are over; with `all` also in this one. To be called now and then, and before
     * the inbox is closed.
     */
    async sayDropped({ all = false }: { all?: boolean } = {}): Promise<void> {
        const hour = Math.floor(this.#options.now() / HOUR_MS);
        for (const [device, aside] of this.#aside) {
            if (all || aside.hour !== hour) {
                await this.#sayDroppedOf(device, aside);
            }
        }
    }

    #whyRefused({ refused, payload, topic, device }: Arrival, patterns: Parameters<typeof isOwnTopic>[1]['patterns']): string | undefined {
        if (refused !== undefined) {
            return refused;
        }
        if (payload.length > MAX_PAYLOAD_BYTES) {
            return sayTooLarge(payload.length);
        }
        if (topic === undefined || isOwnTopic(topic, { device, patterns })) {
            return undefined;
        }
        return `topic ${showTopic(topic)} is none of device ${device}: it may write to t/${device} and below it, and to topics of its profile with its id in them`;
    }

    /** True if one more message of the device that is put aside is kept. */
    #keeps(device: string, way: Way): boolean {
        const hour = Math.floor(this.#options.now() / HOUR_MS);
        let aside = this.#aside.get(device);
        if (aside?.hour !== hour) {
            if (aside) {
                this.#sayDroppedOf(device, aside).catch(() => undefined);
            }
            aside = { hour, way, kept: 0, dropped: 0 };
            this.#aside.set(device, aside);
        }
        if (aside.kept < MAX_ASIDE_IN_HOUR) {
            aside.kept += 1;
            return true;
        }
        aside.dropped += 1;
        if (aside.dropped === 1) {
            this.#options.say(
                `${MAX_ASIDE_IN_HOUR} messages of device ${device} were put aside in this hour (flowlake rejects): more of them are only counted`,
            );
        }
        return false;
    }

    async #sayDroppedOf(device: string, aside: Aside): Promise<void> {
        if (this.#aside.get(device) === aside) {
            this.#aside.delete(device);
        }
        const { dropped, hour, way } = aside;
        if (dropped === 0) {
            return;
        }
        const known = this.#options.devices.find(device);
        const began = new Date(hour * HOUR_MS).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);
        this.#last = this.#options.inbox.append({
            ...{ arrivedMs: this.#options.now(), way, device, profile: known?.profile, site: known?.site },
            refused: `${dropped} more messages of the hour from ${began}Z on were put aside, and not kept`,
            payload: Buffer.alloc(0),
        });
        await this.#last;
    }
}

/** Why a payload of that size is put aside. */
export function sayTooLarge(sizeBytes: number): string {
    return `its payload has ${sizeBytes} bytes, of ${MAX_PAYLOAD_BYTES} at most`;
}

/** A topic as it is shown to people: short, and without what a terminal would obey. */
export function showTopic(topic: string): string {
    return topic.length <= 200 ? JSON.stringify(topic) : `${JSON.stringify(topic.slice(0, 200))}...`;
}

function cut(payload: Buffer): Buffer {
    if (payload.length <= MAX_ASIDE_CHARACTERS) {
        return payload;
    }
    const text = payload.subarray(0, MAX_ASIDE_CHARACTERS * MAX_CHARACTER_BYTES).toString();
    // What is no text stays as bytes, so that nothing of it is changed.
    return text.slice(0, MAX_ASIDE_CHARACTERS).includes('\ufffd')
        ? payload.subarray(0, MAX_ASIDE_CHARACTERS)
        : Buffer.from(text.slice(0, MAX_ASIDE_CHARACTERS));
}
