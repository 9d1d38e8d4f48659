/**
 * Takes in what another lake hands on by a gateway: parts of a chain, which may come again, from several connections at once, and late. How far a chain was
 * taken stands in the inbox with the messages themselves, so each of them is there once, in the order of the chain.
 */
import { StorageError, UsageError } from '#lake/errors';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import { type ForwardPlace, readPart } from './forward-part.ts';
import type { NewMessage, OriginWriter } from './inbox.ts';
import type { KnownDevice, KnownDevices } from './known-devices.ts';

export interface ForwardIntakeOptions {
    inbox: OriginWriter;
    devices: Pick<KnownDevices, 'find' | 'whyUnreadable'>;
}

export interface ForwardedPart {
    /** Device whose certificate hands it on. */
    gateway: string;
    stream: string;
    /** Number behind which it begins: the one before it ends there. */
    after: string;
    payload: Uint8Array;
}

export class ForwardIntake {
    readonly #options: ForwardIntakeOptions;
    /** The work at each chain, one part after the other. */
    readonly #working = new Map<string, Promise<unknown>>();
    readonly counts = { taken: 0, aside: 0 };

    constructor(options: ForwardIntakeOptions) {
        this.#options = options;
    }

    /** How far the chain was taken in, once all parts that have come are; or why nothing of it is taken. */
    async placeOf({ gateway, stream }: Pick<ForwardedPart, 'gateway' | 'stream'>): Promise<ForwardPlace> {
        await this.#working.get(stream)?.catch(() => undefined);
        const origin = this.#options.inbox.findOrigin(stream);
        if (origin && origin.gateway !== gateway) {
            return { why: whyOfAnother(stream, { owner: origin.gateway, gateway }) };
        }
        return { end: origin?.end ?? '0' };
    }

    /**
     * Stores what of the part is not there yet. Resolves once it is durable: then, and not before, it is acknowledged. Safe to call again.
     * @throws UsageError for what is no part that can follow @throws StorageError where it is not in the inbox; neither must be acknowledged
     */
    async take(part: ForwardedPart): Promise<void> {
        const { stream } = part;
        const before = this.#working.get(stream);
        const work = (async () => {
            await before?.catch(() => undefined);
            await this.#take(part);
        })();
        this.#working.set(stream, work);
        try {
            await work;
        } finally {
            if (this.#working.get(stream) === work) {
                this.#working.delete(stream);
            }
        }
    }

    async #take({ gateway, stream, after, payload }: ForwardedPart): Promise<void> {
        const { inbox, devices } = this.#options;
        const messages = messagesOf(payload);
        const { gateway: owner, end } = inbox.findOrigin(stream) ?? { gateway, end: '0' };
        if (owner !== gateway) {
            throw new UsageError(whyOfAnother(stream, { owner, gateway }));
        }
        if (compareSequences(after, end) > 0) {
            throw new UsageError(`a part of stream ${stream} begins behind ${after}, and of it only what is up to ${end} has come`);
        }
        const behind = messages.filter(({ sequence }) => compareSequences(sequence, end) > 0);
        const last = behind.at(-1);
        if (last === undefined) {
            return;
        }
        const own = devices.find(gateway);
        if (!own) {
            throw new StorageError(`gateway ${gateway} is not registered for today: flowlake device add ${gateway}`);
        }
        const taken = behind.map((message) => {
            const origin = `${gateway}/${stream}/${message.sequence}`;
            return { ...toNew(message, { gateway, own, elsewhere: this.#siteElsewhere(message, own.site) }), origin };
        });
        await inbox.appendOf({ stream, gateway, end: last.sequence }, taken);
        this.counts.taken += taken.length;
        this.counts.aside += taken.filter(({ refused }, at) => refused !== behind[at]?.refused).length;
    }

    /** The site at which the device of the message stood when it came, where that is another one; the gateway speaks for devices that nobody knows here. */
    #siteElsewhere({ device = '', arrivedMs }: ChainMessage, site: string): string | undefined {
        const { devices } = this.#options;
        const unreadable = devices.whyUnreadable(device);
        if (unreadable !== undefined) {
            throw new StorageError(unreadable);
        }
        const known = devices.find(device, arrivedMs);
        return known === undefined || known.site === site ? undefined : known.site;
    }
}

function messagesOf(payload: Uint8Array): ChainMessage[] {
    try {
        return readPart(payload);
    } catch (error) {
        throw new UsageError(`what was handed on is no part of a chain: ${error instanceof Error ? error.message : error}`, {
            cause: error,
        });
    }
}

/** The message as it is stored: as it was there, at the gateway's site, or put aside as one of the gateway's. */
function toNew(
    { sequence: _, ...message }: ChainMessage,
    { gateway, own, elsewhere }: { gateway: string; own: KnownDevice; elsewhere: string | undefined },
): NewMessage {
    const { site, profile } = own;
    const { device } = message;
    return elsewhere === undefined
        ? { ...message, site }
        : {
              ...{ ...message, device: gateway, profile, site },
              refused: `gateway ${gateway} of site ${site} hands on a message of device ${device}, which stood at site ${elsewhere} then`,
          };
}

function whyOfAnother(stream: string, { owner, gateway }: { owner: string; gateway: string }): string {
    return (
        `stream ${stream} is handed on by gateway ${owner}, not by ${gateway}. If the lake of ${gateway} was copied from that of ${owner}: stop its serve, move its .flowlake/live/inbox.sqlite away, ` +
        `and start it. If ${gateway} takes the place of ${owner}: give it a certificate of that one (device add ${owner} --gateway --out DIR)`
    );
}
