/** Figures as people read them. */
import { groupDigits } from './quantity.ts';

/** A figure with all its digits, in groups of three. Its value comes as text, and no digit is lost. Null is a dash. */
export function Figure({ value, unit }: { value: string | null | undefined; unit?: string }) {
    if (value === null || value === undefined) {
        return <Missing />;
    }
    return (
        <data class="figure" value={value}>
            {groupDigits(value)}
            {unit !== undefined && <span class="unit"> {unit}</span>}
        </data>
    );
}

/** A mean, a share or another number that is no exact one, to `digits` places that count. Null is a dash. */
export function Mean({ value, digits = 4, unit }: { value: number | null | undefined; digits?: number; unit?: string }) {
    if (value === null || value === undefined) {
        return <Missing />;
    }
    return (
        <data class="figure" value={String(value)}>
            {groupDigits(roundTo(value, digits))}
            {unit !== undefined && <span class="unit"> {unit}</span>}
        </data>
    );
}

/** A number of so many digits that count, in digits without an exponent; whole parts keep all of theirs. */
export function roundTo(value: number, digits: number): string {
    if (!Number.isFinite(value)) {
        return String(value);
    }
    const whole = Math.abs(value) < 1 ? 0 : Math.floor(Math.log10(Math.abs(value))) + 1;
    const places = value === 0 ? 0 : Math.max(0, digits - (whole === 0 ? Math.floor(Math.log10(Math.abs(value))) + 1 : whole));
    return value
        .toFixed(Math.min(places, 20))
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
}

function Missing() {
    return (
        <span class="missing">
            <span aria-hidden="true">–</span>
            <span class="hidden">none</span>
        </span>
    );
}
