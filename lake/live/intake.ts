/**
 * What every way in of one machine does with a message of a device that it knows: it goes into the inbox as the device's own, with the profile and site of now.
 * What is not the device's to say is put aside (judge-arrival.ts). A way in never answers it with an error, because every client would send it again for ever,
 * and nothing behind it would get through.
 */
import type { Way } from '#lake/telemetry/chain-line';
import type { InboxWriter } from './inbox.ts';
import { type Arrival, hourOf, judgeArrival, MAX_ASIDE_IN_HOUR, sayDropped } from './judge-arrival.ts';
import type { KnownDevices } from './known-devices.ts';

export interface IntakeOptions {
    inbox: InboxWriter;
    devices: Pick<KnownDevices, 'find'>;
    now: () => number;
    /** Called once an hour for a device of which more is put aside than is kept. */
    say: (line: string) => void;
}

/** What a device had put aside in an hour. */
interface Aside {
    device: string;
    hour: number;
    way: Way;
    kept: number;
    dropped: number;
}

export class Intake {
    readonly #options: IntakeOptions;
    /** Hours that are not over, by device. */
    readonly #aside = new Map<string, Aside>();
    /** Hours that are over, of which the inbox does not say yet how many messages were dropped. */
    readonly #unsaid = new Set<Aside>();
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
        const { way, device } = arrival;
        const message = judgeArrival(arrival, { known: this.#options.devices.find(device), arrivedMs: this.#options.now() });
        const { refused } = message;
        if (refused !== undefined && !this.#keeps(device, way)) {
            // Its acknowledgement stands behind those of the messages before it.
            await this.#last;
            this.counts.dropped += 1;
            return refused;
        }
        const stored = this.#options.inbox.append(message);
        this.#last = stored;
        await stored;
        this.counts.taken += 1;
        this.counts.aside += refused === undefined ? 0 : 1;
        return refused;
    }

    /**
     * Says in the inbox how many messages were put aside and not kept in hours that are over; with `all` also in this one. To be called now and then, and before
     * the inbox is closed. @throws StorageError where the inbox does not take it; the next call says it
     */
    async sayDropped({ all = false }: { all?: boolean } = {}): Promise<void> {
        const hour = hourOf(this.#options.now());
        for (const aside of this.#aside.values()) {
            if (all || aside.hour !== hour) {
                this.#end(aside);
            }
        }
        for (const aside of this.#unsaid) {
            await this.#say(aside);
        }
    }

    /** True if one more message of the device that is put aside is kept. */
    #keeps(device: string, way: Way): boolean {
        const hour = hourOf(this.#options.now());
        let aside = this.#aside.get(device);
        if (aside?.hour !== hour) {
            if (aside) {
                this.#end(aside);
            }
            aside = { device, hour, way, kept: 0, dropped: 0 };
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

    /** Counts nothing more into this hour. */
    #end(aside: Aside): void {
        this.#aside.delete(aside.device);
        if (aside.dropped > 0) {
            this.#unsaid.add(aside);
        }
    }

    async #say(aside: Aside): Promise<void> {
        // Nobody says it a second time while it is being stored.
        if (!this.#unsaid.delete(aside)) {
            return;
        }
        const { device, way } = aside;
        const known = this.#options.devices.find(device);
        const said = this.#options.inbox.append({
            ...{ arrivedMs: this.#options.now(), way, device, profile: known?.profile, site: known?.site },
            refused: sayDropped(aside),
            payload: Buffer.alloc(0),
        });
        this.#last = said;
        try {
            await said;
        } catch (error) {
            this.#unsaid.add(aside);
            throw error;
        }
    }
}
