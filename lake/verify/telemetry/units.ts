/** Units in UCUM that one can be converted to another: what one of them is in the unit of its row, exactly. */
import { divided, type Fraction, fractionOf, minus, plus, times, ZERO } from './fractions.ts';

/** What is measured, with its units: how many of the first unit one is, and from where it is counted. A division is written with `/`. */
const KINDS: readonly Readonly<Record<string, string>>[] = [
    { K: '1', Cel: '1 273.15', '[degF]': '5/9 459.67' },
    {
        Pa: '1',
        hPa: '100',
        kPa: '1000',
        MPa: '1000000',
        bar: '100000',
        mbar: '100',
        'mm[Hg]': '133.322387415',
        "[in_i'Hg]": '3386.388640341',
        '[psi]': '4.4482216152605/0.00064516',
        atm: '101325',
    },
    { 'm/s': '1', 'km/h': '1/3.6', '[kn_i]': '1852/3600', '[mi_i]/h': '1609.344/3600', 'cm/s': '0.01', '[ft_i]/s': '0.3048' },
    { 'W.h': '1', 'kW.h': '1000', 'MW.h': '1000000', J: '1/3600', kJ: '1000/3600', MJ: '1000000/3600' },
    { V: '1', mV: '0.001', uV: '0.000001', kV: '1000' },
    { A: '1', mA: '0.001', uA: '0.000001', kA: '1000' },
    { W: '1', mW: '0.001', kW: '1000', MW: '1000000' },
    { s: '1', ms: '0.001', us: '0.000001', min: '60', h: '3600', d: '86400' },
    { '1': '1', '%': '0.01', '[ppm]': '0.000001', '[ppb]': '0.000000001' },
    { L: '1', mL: '0.001', m3: '1000', '[gal_us]': '3.785411784', '[cft_i]': '28.316846592' },
    { m: '1', mm: '0.001', cm: '0.01', km: '1000', '[ft_i]': '0.3048', '[in_i]': '0.0254', '[mi_i]': '1609.344', '[nmi_i]': '1852' },
    { g: '1', mg: '0.001', kg: '1000', t: '1000000', '[lb_av]': '453.59237', '[oz_av]': '28.349523125' },
    { Hz: '1', kHz: '1000', MHz: '1000000' },
    { lx: '1', klx: '1000' },
    { deg: '1' },
];

/** The value in another unit; undefined where they are no units of the same thing. `'unknown'` where this table does not have one of them. */
export function converted(value: Fraction, { from, to }: { from: string; to: string }): Fraction | undefined | 'unknown' {
    if (from === to) {
        return value;
    }
    const kindOf = (unit: string): Readonly<Record<string, string>> | undefined => KINDS.find((units) => Object.hasOwn(units, unit));
    const kind = kindOf(from);
    if (!kind || !kindOf(to)) {
        return 'unknown';
    }
    const [one, other] = [kind[from], kind[to]].map((said) => said && sizeOf(said));
    if (!one || !other) {
        return undefined;
    }
    return minus(divided(times(plus(value, one.zero), one.size), other.size), other.zero);
}

function sizeOf(said: string): { size: Fraction; zero: Fraction } {
    const [size = '', zero = '0'] = said.split(' ');
    const [over = '', under = '1'] = size.split('/');
    const number = (text: string): Fraction => fractionOf(text) ?? ZERO;
    return { size: divided(number(over), number(under)), zero: number(zero) };
}
