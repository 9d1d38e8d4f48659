/**
 * The journal of a simulation: what was sent, and what became of it as far as its sender saw. Lines of JSON, each an event of one message; `flowlake simulate`
 * writes it, `flowlake delivery` holds it against the lake.
 *
 *     {"event":"begin","at_ms":1767607200000,"devices":50,"seed":1,"to":"mqtts://localhost:8883"}
 *     {"event":"sent","device":"sim-0001","message":"1767607200:1","hash":"9f86d081884c7d65","at_ms":1767607200123,"measured_ms":1767607200120}
 *     {"event":"acknowledged","device":"sim-0001","message":"1767607200:1","at_ms":1767607200125}
 */
import { UsageError } from '#lake/errors';

/** What happens to a message, in this order: `dropped` alone where a fault of the simulation kept it from being sent, `sent` once for each copy. */
export type JournalEvent =
    | { event: 'begin'; at_ms: number; devices: number; seed: number; to: string }
    | { event: 'dropped'; device: string; message: string; at_ms: number }
    | { event: 'sent'; device: string; message: string; hash: string; at_ms: number; measured_ms: number }
    | { event: 'acknowledged'; device: string; message: string; at_ms: number }
    | { event: 'refused'; device: string; message: string; at_ms: number; why: string }
    /** It was seen in latest state, by whoever listens to live events. */
    | { event: 'latest'; device: string; message: string; at_ms: number };

/** A line of the journal, with its end. */
export function encodeEvent(event: JournalEvent): string {
    return `${JSON.stringify(event)}\n`;
}

/** What became of one message. */
export interface JournalMessage {
    /** First 16 hex digits of the SHA-256 of its payload. */
    hash: string;
    measuredMs: number;
    firstSentMs: number;
    copies: number;
    acknowledgedMs: number | undefined;
    latestMs: number | undefined;
}

/** What a simulation did, by device and message. */
export interface Journal {
    devices: ReadonlyMap<string, ReadonlyMap<string, JournalMessage>>;
    dropped: ReadonlyMap<string, number>;
    refused: ReadonlyMap<string, number>;
    firstMs: number;
    lastMs: number;
}

/**
 * Reads a journal line by line. A last line without an end was cut by a kill, and is left out.
 * @throws UsageError for anything else that is no line of a journal
 */
export async function readJournal(lines: AsyncIterable<{ text: string; isWhole: boolean }>): Promise<Journal> {
    const devices = new Map<string, Map<string, JournalMessage>>();
    const dropped = new Map<string, number>();
    const refused = new Map<string, number>();
    let [firstMs, lastMs, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for await (const { text, isWhole } of lines) {
        number += 1;
        const event = isWhole ? parseEvent(text) : undefined;
        if (!event) {
            if (isWhole) {
                throw new UsageError(`Line ${number} is no line of a journal of flowlake simulate: ${text.slice(0, 80)}`);
            }
            continue;
        }
        if (event.event === 'begin') {
            continue;
        }
        firstMs = Math.min(firstMs, event.at_ms);
        lastMs = Math.max(lastMs, event.at_ms);
        const { device, message } = event;
        const messages = devices.get(device) ?? new Map<string, JournalMessage>();
        devices.set(device, messages);
        const known = messages.get(message);
        switch (event.event) {
            case 'dropped':
                dropped.set(device, (dropped.get(device) ?? 0) + 1);
                break;
            case 'refused':
                refused.set(device, (refused.get(device) ?? 0) + 1);
                break;
            case 'sent':
                if (known) {
                    known.copies += 1;
                } else {
                    const { hash, at_ms: firstSentMs, measured_ms: measuredMs } = event;
                    messages.set(message, { hash, measuredMs, firstSentMs, copies: 1, acknowledgedMs: undefined, latestMs: undefined });
                }
                break;
            case 'acknowledged':
                if (known) {
                    known.acknowledgedMs ??= event.at_ms;
                }
                break;
            case 'latest':
                if (known) {
                    known.latestMs ??= event.at_ms;
                }
                break;
        }
    }
    return { devices, dropped, refused, firstMs, lastMs };
}

const EVENTS: ReadonlySet<unknown> = new Set<JournalEvent['event']>(['begin', 'dropped', 'sent', 'acknowledged', 'refused', 'latest']);

function parseEvent(text: string): JournalEvent | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return isEvent(value) ? value : undefined;
    } catch {
        return undefined;
    }
}

function isEvent(value: unknown): value is JournalEvent {
    const fields = new Map<string, unknown>(Object.entries(value ?? {}));
    const event = fields.get('event');
    const isMessage = event === 'begin' || (typeof fields.get('device') === 'string' && typeof fields.get('message') === 'string');
    const isSent = event !== 'sent' || (typeof fields.get('hash') === 'string' && Number.isSafeInteger(fields.get('measured_ms')));
    return EVENTS.has(event) && Number.isSafeInteger(fields.get('at_ms')) && isMessage && isSent;
}
