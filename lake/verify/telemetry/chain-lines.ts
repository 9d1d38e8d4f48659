/** The lines of a chain object: docs/reading-telemetry.md, "A chain object". */
import { objectIn, WAYS } from './message-files.ts';
import { isBase64, type Message } from './places.ts';

export interface ChainLine {
    /** The message of a line; undefined where the line is none of a chain object. */
    message?: Message;
    profile?: string | undefined;
    site?: string | undefined;
    /** True where the way in has put the message aside. */
    isRefused?: boolean;
}

/** @returns undefined where the object does not end as it must, or its sequence numbers fall */
export function chainLines(lines: readonly Buffer[]): ChainLine[] | undefined {
    const found = lines.map(lineOf);
    const end = found.findIndex(({ end: said }) => said !== undefined);
    const sequences = found.slice(0, end).flatMap(({ sequence }) => (sequence === undefined ? [] : [BigInt(sequence)]));
    const last = sequences.at(-1);
    const isInOrder = sequences.every((sequence, at) => at === 0 || sequence >= (sequences[at - 1] ?? 0n));
    const isWhole = end >= 0 && end === found.length - 1 && isInOrder && BigInt(found[end]?.end ?? '') === (last ?? 0n);
    return isWhole ? found.slice(0, -1) : undefined;
}

function lineOf(bytes: Buffer): ChainLine & { sequence?: string; end?: string } {
    const members = objectIn(bytes);
    const text = (name: string): string | undefined => {
        const value = members?.get(name);
        return value?.type === 'text' ? value.text : undefined;
    };
    const [end, sequence, payload, base64] = ['end', 'sequence', 'payload', 'payload_base64'].map(text);
    const arrived = members?.get('arrived_ms');
    if (end !== undefined && /^\d{1,129}$/.test(end)) {
        return { end };
    }
    const bytesSaid =
        payload !== undefined ? Buffer.from(payload) : base64 !== undefined && isBase64(base64) ? Buffer.from(base64, 'base64') : undefined;
    if (
        !WAYS.includes(text('way') ?? '') ||
        sequence === undefined ||
        !/^\d{1,129}$/.test(sequence) ||
        arrived?.type !== 'number' ||
        !/^\d{1,15}$/.test(arrived.text) ||
        !bytesSaid
    ) {
        return {};
    }
    const headers = members?.get('headers');
    const retained = members?.get('retained');
    return {
        sequence,
        profile: text('profile'),
        site: text('site'),
        isRefused: text('refused') !== undefined,
        message: {
            payload: bytesSaid,
            arrivedMs: Number(arrived.text),
            topic: text('topic'),
            device: text('device'),
            key: text('key'),
            headers:
                headers?.type === 'object'
                    ? Object.fromEntries(
                          [...headers.members].flatMap(([name, value]) =>
                              value.type === 'text' ? [[name.toLowerCase(), value.text]] : [],
                          ),
                      )
                    : undefined,
            isRetained: retained?.type === 'yes/no' && retained.value,
        },
    };
}
