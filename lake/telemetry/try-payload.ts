/** Tries a profile on one payload, for `flowlake profile try`. */
import type { TryInput } from '#lake/kind';
import { isEnvelope } from './messages/envelope.ts';
import { parseProfile } from './profile/profile.ts';
import { type TriedLine, tryProfile } from './profile/try-profile.ts';

const COLUMNS = ['device', 'metric', 'at', 'value', 'unit', 'note'] as const satisfies readonly (keyof TriedLine)[];

/** A row for each reading, for each problem and for each field that the profile does not name. */
export const tryPayload: TryInput = async (document, { bytes, arrivedAt, ...way }) => {
    const message = { ...way, payload: bytes, arrivedMs: arrivedAt.getTime() };
    const { lines, unknownFields } = tryProfile(parseProfile(document), message);
    const rows = lines.map((line) => COLUMNS.map((name) => line[name] ?? null));
    const unknown = unknownFields.map((field) => [
        null,
        null,
        null,
        null,
        null,
        `field ${field} is not named in the profile: it is left out`,
    ]);
    const hint = hintOf(bytes);
    const isUsable = lines.some(({ is }) => is === 'reading');
    const hints = isUsable || hint === undefined ? [] : [COLUMNS.map((name) => (name === 'note' ? hint : null))];
    return {
        columns: COLUMNS.map((name) => ({ name, type: 'varchar' })),
        rows: [...rows, ...unknown, ...hints],
        isUsable,
    };
};

/** What to do where bytes look like more than a payload: a file of messages, or what a log of a broker has around one. */
function hintOf(bytes: Uint8Array): string | undefined {
    const buffer = Buffer.from(bytes);
    const place = { bytes: buffer, start: 0, end: buffer.length, lineNumber: 1 };
    if (isEnvelope(place)) {
        return 'this is a line of a log, with a payload in it: try the payload by itself, with --topic';
    }
    return /^\s*[{[].*[}\]]\s*\n\s*[{[]/.test(buffer.toString('utf8', 0, LOOKED_AT_BYTES))
        ? 'this is several messages, one on a line: try one of them; upload --dry-run reads a file of them'
        : undefined;
}

const LOOKED_AT_BYTES = 1 << 16;
