/** Instants and what lies between them, exact: formats that write when a flow began and ended are read by these. */

import type { ParsedNumber } from './numbers.ts';
import { MAX_BIGINT } from './numbers.ts';
import { type DurationUnit, UNIT_DIGITS } from './options.ts';

/** Femtoseconds since 1970 began, in UTC, or in the exporter's local time where the text names no offset. */
export type Instant = bigint;

/** Decimal places of a second that an instant keeps; exporters write 9 at most, and doubles printed in full 17 digits in all. */
const PLACES = 15;

const FEMTOSECONDS_PER_MICROSECOND = 10n ** 9n;
const FEMTOSECONDS_PER_SECOND = 10n ** 15n;
const FEMTOSECONDS_PER_DAY = 86_400n * FEMTOSECONDS_PER_SECOND;
const LAST_DAY = 2_932_896n;

/** An epoch as decimal text without a sign, with or without a fraction: no exponent, because that hides how many digits are known. */
export function instantOfEpoch(text: string, unit: DurationUnit): Instant | undefined {
    const [, whole = '', fraction = ''] = /^(\d{1,30})(?:\.(\d*))?$/.exec(text) ?? [];
    if (whole === '') {
        return undefined;
    }
    const places = PLACES - UNIT_DIGITS[unit];
    return BigInt(whole) * 10n ** BigInt(places) + BigInt(fraction.slice(0, places).padEnd(places, '0') || '0');
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,15})\d*)? ?(Z|[+-]\d\d:?\d\d)?$/;

/** `yyyy-MM-dd HH:mm:ss`, also with `T`, a fraction and an offset from UTC (ISO 8601); undefined for any other text and days that no calendar has. */
export function instantOfIso(text: string): Instant | undefined {
    const [, year, month, day, hour, minute, second, fraction = '', offset = 'Z'] = ISO.exec(text) ?? [];
    const milliseconds = Date.UTC(Number(year), Number(month) - 1, Number(day));
    const isDay = new Date(milliseconds || 0).toISOString().startsWith(`${year}-${month}-${day}`);
    if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
        return undefined;
    }
    const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [undefined, '+', '00', '00'];
    const ahead = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === '-' ? -1 : 1);
    const seconds = milliseconds / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - ahead;
    return BigInt(seconds) * FEMTOSECONDS_PER_SECOND + BigInt(fraction.padEnd(PLACES, '0'));
}

/** The day of an instant, `yyyy-MM-dd`; undefined outside of 1970 to 9999. */
export function dayOfInstant(instant: Instant): string | undefined {
    const days = instant / FEMTOSECONDS_PER_DAY;
    return instant >= 0n && days <= LAST_DAY ? new Date(Number(days) * 86_400_000).toISOString().slice(0, 10) : undefined;
}

/** Microseconds from one instant to another, rounded half up; `negative` where the end comes first. */
export function microsecondsBetween(start: Instant, end: Instant): ParsedNumber {
    if (end < start) {
        return { ok: false, reason: 'negative' };
    }
    const value = (end - start + FEMTOSECONDS_PER_MICROSECOND / 2n) / FEMTOSECONDS_PER_MICROSECOND;
    return value > MAX_BIGINT ? { ok: false, reason: 'too_large' } : { ok: true, value };
}
