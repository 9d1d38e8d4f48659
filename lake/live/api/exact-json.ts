/** JSON whose numbers have all the digits of a decimal: 21.300000001 never passes through a float on its way to the client. */

declare global {
    interface JSON {
        /** Node 21 and later: a value that `JSON.stringify` writes as it stands (https://github.com/tc39/proposal-json-parse-with-source). */
        rawJSON(text: string): object;
    }
}

/** A number of JSON, without signs and zeros that say nothing. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** The decimal as a number of JSON, digit by digit. @throws TypeError for what is no decimal text: a fault of ours */
export function exactNumber(decimal: string | null): object | null {
    if (decimal === null) {
        return null;
    }
    if (!NUMBER.test(decimal)) {
        throw new TypeError(`${JSON.stringify(decimal)} is no decimal`);
    }
    return JSON.rawJSON(decimal);
}

/** The decimal without zeros behind its last digit: `21.300000000` as `21.3`. */
export function shortDecimal(decimal: string | null): string | null {
    return decimal?.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
