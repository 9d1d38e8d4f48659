/** Tries a profile on one payload, for `flowlake profile try`. */
import type { TryInput } from '#lake/kind';
import { parseProfile } from './profile/profile.ts';
import { type TriedLine, tryProfile } from './profile/try-profile.ts';

const COLUMNS = ['device', 'metric', 'at', 'value', 'unit', 'note'] as const satisfies readonly (keyof TriedLine)[];

/** A row for each reading, for each problem and for each field that the profile does not name. */
export const tryPayload: TryInput = async (document, { bytes, topic, device, now }) => {
    const message = { payload: bytes, topic, device, arrivedMs: now.getTime() };
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
    return {
        columns: COLUMNS.map((name) => ({ name, type: 'varchar' })),
        rows: [...rows, ...unknown],
        isUsable: lines.some(({ is }) => is === 'reading'),
    };
};
