/** Quantities in words. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A number of bytes, `1.5 MB`: decimal units, as prices have them. The digits may be a text. */
export function sayBytes(bytes: string | number): string {
    let size = Number(bytes);
    let unit = 0;
    while (size >= 999.5 && unit < UNITS.length - 1) {
        size /= 1000;
        unit += 1;
    }
    return `${unit === 0 || size >= 100 ? Math.round(size) : Number(size.toPrecision(2))} ${UNITS[unit]}`;
}

/** A sum of US dollars; the least that is shown is `$0.0001`. */
export function sayUsd(usd: number): string {
    return usd > 0 && usd < 0.00005 ? 'less than $0.0001' : `$${usd.toFixed(4)}`;
}

/** A whole number, or decimal, of any size with its thousands apart; every digit is kept. `9007199254740993` is `9 007 199 254 740 993`. */
export function groupDigits(digits: string): string {
    const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(.*)$/s.exec(digits) ?? [];
    if (whole === '') {
        return digits;
    }
    // A narrow space that does not break: copied into a sheet it would be in the way, so Figure keeps the bare digits beside it.
    return `${sign === '-' ? '\u2212' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, '\u202f')}${rest}`;
}

/** A share of 0 to 1 in percent: what is not all or nothing is never said to be. Null is a dash. */
export function sayShare(share: number | null): string {
    if (share === null) {
        return '–';
    }
    const percent = share * 100;
    if (percent > 0 && percent < 0.1) {
        return '< 0.1 %';
    }
    return percent < 100 && percent > 99.9 ? '> 99.9 %' : `${Number(percent.toPrecision(3))} %`;
}
