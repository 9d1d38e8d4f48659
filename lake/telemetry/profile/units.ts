/** Units of measure (UCUM) that can be converted into each other, exactly. */
import { ownOf } from '../own-properties.ts';
import { add, multiply, ONE, parseDecimal, type Ratio, ZERO } from './decimal.ts';

/** A value in the first unit times `factor` plus `offset` is the value in the second. */
export interface Conversion {
    factor: Ratio;
    offset: Ratio;
}

/** Units of a kind: what one of each is in the first one. A text may say a quotient. */
const KINDS: readonly Readonly<Record<string, string>>[] = [
    {
        Pa: '1',
        hPa: '100',
        kPa: '1000',
        MPa: '1000000',
        mbar: '100',
        bar: '100000',
        atm: '101325',
        'mm[Hg]': '133.322387415',
        "[in_i'Hg]": '3386.388640341',
        '[psi]': '4.4482216152605/0.00064516',
    },
    { 'm/s': '1', 'km/h': '1000/3600', '[mi_i]/h': '0.44704', '[kn_i]': '1852/3600', '[ft_i]/s': '0.3048' },
    {
        m: '1',
        mm: '0.001',
        cm: '0.01',
        km: '1000',
        um: '0.000001',
        '[in_i]': '0.0254',
        '[ft_i]': '0.3048',
        '[yd_i]': '0.9144',
        '[mi_i]': '1609.344',
        '[nmi_i]': '1852',
    },
    { g: '1', mg: '0.001', ug: '0.000001', kg: '1000', t: '1000000', '[lb_av]': '453.59237', '[oz_av]': '28.349523125' },
    {
        J: '1',
        kJ: '1000',
        MJ: '1000000',
        'mW.h': '3.6',
        'W.h': '3600',
        Wh: '3600',
        'kW.h': '3600000',
        kWh: '3600000',
        MWh: '3600000000',
        cal: '4.184',
    },
    { W: '1', mW: '0.001', kW: '1000', MW: '1000000' },
    { V: '1', uV: '0.000001', mV: '0.001', kV: '1000' },
    { A: '1', uA: '0.000001', mA: '0.001', kA: '1000' },
    { 'A.h': '1', Ah: '1', 'mA.h': '0.001', mAh: '0.001', C: '1/3600' },
    { L: '1', mL: '0.001', cL: '0.01', dL: '0.1', m3: '1000', '[gal_us]': '3.785411784', '[gal_br]': '4.54609', '[cft_i]': '28.316846592' },
    { 'L/s': '1', 'L/min': '1/60', 'L/h': '1/3600', 'm3/h': '1000/3600', 'm3/s': '1000', '[gal_us]/min': '3.785411784/60' },
    { s: '1', ns: '0.000000001', us: '0.000001', ms: '0.001', min: '60', h: '3600', d: '86400', wk: '604800' },
    { Hz: '1', kHz: '1000', MHz: '1000000', GHz: '1000000000', '/min': '1/60', '{rpm}': '1/60' },
    { '1': '1', '%': '0.01', '[ppth]': '0.001', '[ppm]': '0.000001', '[ppb]': '0.000000001' },
    { 'g/m3': '1', 'mg/m3': '0.001', 'ug/m3': '0.000001', 'kg/m3': '1000', 'g/L': '1000', 'mg/L': '1' },
    { By: '1', bit: '0.125', kBy: '1000', MBy: '1000000', GBy: '1000000000', KiBy: '1024', MiBy: '1048576', GiBy: '1073741824' },
    { 'S/m': '1', 'mS/m': '0.001', 'uS/cm': '0.0001', 'mS/cm': '0.1' },
    { lx: '1', klx: '1000' },
    { Ohm: '1', kOhm: '1000', MOhm: '1000000', mOhm: '0.001' },
    { T: '1', mT: '0.001', uT: '0.000001', G: '0.0001', mG: '0.0000001' },
    { 'm/s2': '1', '[g]': '9.80665', 'mm/s2': '0.001' },
];

/** Temperatures to degrees Celsius: their zeros differ. */
const TEMPERATURES: Readonly<Record<string, { factor: string; offset: string }>> = {
    Cel: { factor: '1', offset: '0' },
    K: { factor: '1', offset: '-273.15' },
    '[degF]': { factor: '5/9', offset: '-160/9' },
    '[degR]': { factor: '5/9', offset: '-273.15' },
};

function quotient(text: string): Ratio {
    const [num = ONE, den = ONE] = text.split('/').map((part) => parseDecimal(part) ?? ONE);
    return divide(num, den);
}

function divide(a: Ratio, b: Ratio): Ratio {
    const sign = b.num < 0n ? -1n : 1n;
    return { num: sign * a.num * b.den, den: sign * b.num * a.den };
}

/** How values of one unit become values of another, undefined where they are of different kinds, or unknown. */
export function conversion(from: string, to: string): Conversion | undefined {
    if (from === to) {
        return { factor: ONE, offset: ZERO };
    }
    for (const units of KINDS) {
        const [a, b] = [ownOf(units, from), ownOf(units, to)];
        if (a !== undefined && b !== undefined) {
            return { factor: divide(quotient(a), quotient(b)), offset: ZERO };
        }
    }
    const [a, b] = [ownOf(TEMPERATURES, from), ownOf(TEMPERATURES, to)];
    if (a === undefined || b === undefined) {
        return undefined;
    }
    const difference = add(quotient(a.offset), multiply({ num: -1n, den: 1n }, quotient(b.offset)));
    return { factor: divide(quotient(a.factor), quotient(b.factor)), offset: divide(difference, quotient(b.factor)) };
}

/** The units that a unit can be converted to, itself too. */
export function unitsLike(unit: string): string[] {
    const group = [...KINDS, TEMPERATURES].find((units) => Object.hasOwn(units, unit));
    return group === undefined ? [unit] : Object.keys(group);
}
