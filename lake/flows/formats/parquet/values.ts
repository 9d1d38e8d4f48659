/** Values of a Parquet column as exact texts and instants, by the column's type. */
import type { SchemaElement } from 'hyparquet';
import { type Instant, instantOfEpoch } from '../../instants.ts';
import type { DurationUnit } from '../../options.ts';

/** A value as it is stored; null where the row has none. */
export type Stored = number | bigint | string | Uint8Array | null;

/** What a column's stored values are, as far as they are read. */
export type ColumnType =
    | { is: 'text' | 'number' | 'unsigned32' | 'unsigned64' | 'float32' }
    | { is: 'decimal'; scale: number }
    | { is: 'instant'; unit: DurationUnit | 'int96' | 'days' };

const UNIT_OF = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const;

/** What is read of a column of this type; undefined for types that no needed value can have. */
export function columnTypeOf(element: SchemaElement): ColumnType | undefined {
    const { type, logical_type: logical, converted_type: converted } = element;
    const name = logical?.type ?? converted;
    if (logical?.type === 'TIMESTAMP') {
        return { is: 'instant', unit: UNIT_OF[logical.unit] };
    }
    if (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') {
        return { is: 'instant', unit: converted === 'TIMESTAMP_MILLIS' ? 'ms' : 'us' };
    }
    if (type === 'INT96') {
        return { is: 'instant', unit: 'int96' };
    }
    if (name === 'DATE') {
        return { is: 'instant', unit: 'days' };
    }
    if (name === 'DECIMAL') {
        return { is: 'decimal', scale: (logical?.type === 'DECIMAL' ? logical.scale : element.scale) ?? 0 };
    }
    const isUnsigned = logical?.type === 'INTEGER' ? !logical.isSigned : converted?.startsWith('UINT_') === true;
    const isNumber = logical === undefined || logical.type === 'INTEGER';
    if (type === 'INT32' || type === 'INT64') {
        const hasOtherMeaning = !isNumber || converted?.startsWith('TIME_') === true;
        return hasOtherMeaning ? undefined : { is: isUnsigned ? (type === 'INT32' ? 'unsigned32' : 'unsigned64') : 'number' };
    }
    if (type === 'FLOAT' || type === 'DOUBLE') {
        return { is: type === 'FLOAT' ? 'float32' : 'number' };
    }
    const isText = name === undefined || ['STRING', 'UTF8', 'ENUM', 'JSON'].includes(name);
    return type === 'BYTE_ARRAY' && isText ? { is: 'text' } : undefined;
}

/** The name of a column's type, for people. */
export function sayType({ type, logical_type: logical, converted_type: converted }: SchemaElement): string {
    const isPlainInteger = logical?.type === 'INTEGER' || /^U?INT_/.test(converted ?? '');
    return (isPlainInteger ? undefined : (logical?.type ?? converted)) ?? type ?? 'no type';
}

/** A value as text, trimmed of blanks: numbers in decimal, all digits of whole ones, and the shortest text of doubles and floats; empty for null. */
export function textOfStored(value: Stored, type: ColumnType): string {
    if (value === null) {
        return '';
    }
    if (typeof value === 'string') {
        return trimBlanks(value);
    }
    if (type.is === 'decimal') {
        return textOfDecimal(unscaled(value), type.scale);
    }
    if (type.is === 'float32') {
        return textOfFloat32(Number(value));
    }
    if (type.is === 'unsigned32') {
        return String(Number(value) >>> 0);
    }
    if (type.is === 'unsigned64') {
        return String(BigInt.asUintN(64, BigInt(value as bigint)));
    }
    return Object.is(value, -0) ? '-0' : String(value);
}

const FEMTOSECONDS_PER_NANOSECOND = 10n ** 6n;
const NANOSECONDS_PER_DAY = 86_400n * 10n ** 9n;

/** The Julian day on which 1970 began, from which the days of INT96 are counted. */
const JULIAN_DAY_OF_1970 = 2_440_588n;

/** The instant that a value of a column of instants is; one without a zone is taken as its local clock shows it. */
export function instantOfStored(value: number | bigint, unit: DurationUnit | 'int96' | 'days'): Instant {
    if (unit === 'int96') {
        const stored = BigInt(value);
        const nanoseconds = ((stored >> 64n) - JULIAN_DAY_OF_1970) * NANOSECONDS_PER_DAY + BigInt.asUintN(64, stored);
        return nanoseconds * FEMTOSECONDS_PER_NANOSECOND;
    }
    const [count, of] = unit === 'days' ? [BigInt(value) * 86_400n, 's' as const] : [BigInt(value), unit];
    const size = instantOfEpoch('1', of) ?? 0n;
    return count * size;
}

/** A value for the text of a row: numbers as JSON has them where it can, instants by their clock. */
export function jsonOfStored(value: Stored, type: ColumnType): string {
    if (value === null) {
        return 'null';
    }
    if (type.is === 'instant' && (typeof value === 'number' || typeof value === 'bigint')) {
        return JSON.stringify(clockOf(instantOfStored(value, type.unit)).replace(' ', 'T'));
    }
    const text = typeof value === 'string' ? value : textOfStored(value, type);
    return type.is === 'text' || !/^-?\d/.test(text) ? JSON.stringify(text) : text;
}

const FEMTOSECONDS_PER_MILLISECOND = 10n ** 12n;

/** `2026-01-05 10:00:00.000Z`, cut to milliseconds; the number of milliseconds outside of what a clock can show. */
export function clockOf(instant: Instant): string {
    const milliseconds = instant / FEMTOSECONDS_PER_MILLISECOND;
    const date = new Date(Number(milliseconds));
    return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString().replace('T', ' ');
}

/** The text without spaces and tabs at its ends. */
function trimBlanks(text: string): string {
    const isTrimmed = !isBlank(text.charCodeAt(0)) && !isBlank(text.charCodeAt(text.length - 1));
    return isTrimmed ? text : text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function isBlank(code: number): boolean {
    return code === 0x20 || code === 0x09;
}

/** The whole number that a decimal is stored as: of bytes, two's complement with the highest first. */
function unscaled(value: number | bigint | Uint8Array): bigint {
    if (!(value instanceof Uint8Array)) {
        return BigInt(value);
    }
    const bits = BigInt(`0x${Buffer.from(value).toString('hex') || '0'}`);
    return BigInt.asIntN(value.length * 8, bits);
}

function textOfDecimal(value: bigint, scale: number): string {
    const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
    const point = digits.length - scale;
    const sign = value < 0n ? '-' : '';
    return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Digits that tell any two floats of 32 bits apart. */
const MAX_FLOAT32_DIGITS = 9;

/** The shortest decimal text that is this float of 32 bits and no other. */
function textOfFloat32(value: number): string {
    if (Number.isFinite(value)) {
        for (let digits = 1; digits < MAX_FLOAT32_DIGITS; digits += 1) {
            const text = value.toPrecision(digits);
            if (Math.fround(Number(text)) === value) {
                return text;
            }
        }
        return value.toPrecision(MAX_FLOAT32_DIGITS);
    }
    return String(value);
}
