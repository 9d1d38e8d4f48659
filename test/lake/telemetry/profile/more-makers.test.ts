/** More makers that no preset knows, as other-makers.test.ts has them: what docs/profiles.md teaches is enough for their messages. Forms are real, values invented. */
import { expect, test } from '@jest/globals';
import type { Message } from '#lake/telemetry/message';
import { faultsOf, parseProfile } from '#lake/telemetry/profile/profile';
import { tryProfile } from '#lake/telemetry/profile/try-profile';
import { messageOf } from '#test/support/read-messages';

/** `device metric time value unit`, or `device metric! why`; then the fields that nobody reads. */
function told(profile: object, payload: object | string, words: Partial<Message> = {}): string[] {
    expect(faultsOf(profile)).toEqual([]);
    const { lines, unknownFields } = tryProfile(parseProfile(profile), messageOf(payload, words));
    return [
        ...lines.map(({ is, device, metric, at, value, unit, note }) =>
            is === 'reading'
                ? [device, metric, at?.slice(11, 23), value, unit].filter((part) => part !== undefined).join(' ')
                : `${device} ${metric ?? ''}! ${note}`,
        ),
        ...unknownFields.map((field) => `unknown ${field}`),
    ];
}

test('a weather station posts a form, in units of its own (Ecowitt)', () => {
    const profile = {
        name: 'ecowitt',
        decoder: 'text',
        unpack: [{ path: '', as: 'form' }],
        device: { path: 'PASSKEY' },
        time: [{ path: 'dateutc', unit: 'ISO' }, 'arrival'],
        metrics: [
            { name: 'temperature', from: { path: 'tempf', unit: '[degF]' }, unit: 'Cel', digits: 2 },
            { name: 'pressure', from: { path: 'baromrelin', unit: "[in_i'Hg]" }, unit: 'hPa', digits: 1 },
            { name: 'wind', from: { path: 'windspeedmph', unit: '[mi_i]/h' }, unit: 'm/s', digits: 2 },
            { name: 'soil.{n}', path: 'soilmoisture{n}', unit: '%', digits: 0 },
            { name: 'battery.low', path: 'wh65batt', kind: 'yes/no' },
        ],
        ignore: ['stationtype', 'runtime', 'model'],
    };
    const form =
        'PASSKEY=0A1B2C&stationtype=GW1100B_V2.3.2&runtime=100570&dateutc=2026-01-05+10%3A00%3A00&tempf=64.40&baromrelin=29.958&windspeedmph=3.36&soilmoisture1=41&soilmoisture2=38&wh65batt=0&freq=868M&model=GW1100B';
    expect(told(profile, form)).toEqual([
        '0A1B2C temperature 10:00:00.000 18.00 Cel',
        '0A1B2C pressure 10:00:00.000 1014.5 hPa',
        '0A1B2C wind 10:00:00.000 1.50 m/s',
        '0A1B2C battery.low 10:00:00.000 no',
        '0A1B2C soil.1 10:00:00.000 41 %',
        '0A1B2C soil.2 10:00:00.000 38 %',
        'unknown freq',
    ]);
    expect(told(profile, 'tempf=64.40%')).toEqual(['undefined ! the payload cannot be read: the payload holds no fields of a form']);
});

test('a charger calls with a list, and names what it measures in each value (OCPP 1.6)', () => {
    const value = {
        path: '3.meterValue.{m}.sampledValue.{i}.value',
        time: { path: '3.meterValue.{m}.timestamp' },
        let: {
            phase: [{ path: '3.meterValue.{m}.sampledValue.{i}.phase', case: 'lower' }, { text: 'total' }],
            measurand: { path: '3.meterValue.{m}.sampledValue.{i}.measurand', absent: 'Energy.Active.Import.Register' },
        },
    };
    const of = (name: string, measurand: string, digits: number, units: Record<string, string>) => ({
        ...value,
        name: `${name}.{phase}`,
        only: { text: '{measurand}', is: measurand },
        unit: Object.values(units)[0],
        unitFrom: { path: '3.meterValue.{m}.sampledValue.{i}.unit', units },
        digits,
    });
    const profile = {
        name: 'ocpp',
        topics: ['ocpp/{charger}'],
        device: { text: '{charger}' },
        time: 'arrival',
        notReadings: [
            { path: '0', isNot: 2, why: 'an answer' },
            { path: '2', isNot: 'MeterValues', why: 'another call than MeterValues' },
        ],
        metrics: [
            of('energy', 'Energy.Active.Import.Register', 0, { Wh: 'W.h', kWh: 'kW.h' }),
            of('current', 'Current.Import', 2, { A: 'A' }),
            of('voltage', 'Voltage', 1, { V: 'V' }),
            of('power', 'Power.Active.Import', 0, { W: 'W', kW: 'kW' }),
        ],
        ignore: [
            '1',
            '3.connectorId',
            '3.transactionId',
            '3.meterValue.*.sampledValue.*.context',
            '3.meterValue.*.sampledValue.*.format',
            '3.meterValue.*.sampledValue.*.location',
        ],
    };
    const sampled = (measurand: string | undefined, of: string, unit?: string, phase?: string) => ({
        value: of,
        context: 'Sample.Periodic',
        measurand,
        phase,
        unit,
    });
    const call = (...sampledValue: object[]) => [
        2,
        '19223201',
        'MeterValues',
        { connectorId: 1, transactionId: 7, meterValue: [{ timestamp: '2026-01-05T10:00:00Z', sampledValue }] },
    ];
    const message = call(
        sampled('Voltage', '225.10', 'V', 'L1-N'),
        sampled('Current.Import', '15.90', 'A', 'L1'),
        sampled('Power.Active.Import', '3.58', 'kW'),
        sampled(undefined, '13242'),
        sampled('SoC', '44', 'Percent'),
    );
    expect(told(profile, message, { topic: 'ocpp/CP-7' })).toEqual([
        'CP-7 voltage.l1-n 10:00:00.000 225.1 V',
        'CP-7 current.l1 10:00:00.000 15.90 A',
        'CP-7 power.total 10:00:00.000 3580 W',
        'CP-7 energy.total 10:00:00.000 13242 W.h',
    ]);
    expect(told(profile, [3, '19223201', {}], { topic: 'ocpp/CP-7' })).toEqual(['CP-7 ! not a reading: an answer (0 is 3)']);
});

test('an inverter of which no path is told but numbers (SMA)', () => {
    const profile = {
        name: 'sma',
        each: 'result.{inverter}',
        device: { text: '{inverter}' },
        time: 'arrival',
        metrics: [
            { name: 'power', path: '6100_40263F00.1.0.val', unit: 'W', digits: 0, nullMeans: 'no sun' },
            { name: 'energy', path: '6400_00260100.1.0.val', unit: 'W.h', digits: 0 },
            { name: 'frequency', path: '6100_00465700.1.0.val', unit: 'Hz', digits: 2, scale: '0.01' },
        ],
    };
    const val = (of: number | null) => ({ 1: [{ val: of }] });
    const result = {
        '012F-7309879F': {
            '6100_40263F00': val(null),
            '6400_00260100': val(4711024),
            '6100_00465700': val(4998),
            '6180_08214800': val(307),
        },
    };
    expect(told(profile, { result })).toEqual([
        '012F-7309879F energy 10:00:02.000 4711024 W.h',
        '012F-7309879F frequency 10:00:02.000 49.98 Hz',
        '012F-7309879F power! no value (null: no sun)',
        'unknown 6180_08214800',
    ]);
});

test('values by code, each with its own time and its text once more under a number (Tuya)', () => {
    const value = { path: 'status.{i}.value', let: { code: { path: 'status.{i}.code' } }, time: { path: 'status.{i}.t', unit: 'ms' } };
    const profile = {
        name: 'tuya',
        device: { path: 'devId' },
        time: 'arrival',
        identity: [{ path: 'dataId' }],
        metrics: [
            { ...value, name: 'temperature', only: { text: '{code}', is: 'va_temperature' }, scale: 0.1, unit: 'Cel', digits: 1 },
            { ...value, name: '{code}', only: { text: '{code}', is: ['va_humidity', 'battery_percentage'] }, unit: '%', digits: 0 },
            { ...value, name: 'switch', only: { text: '{code}', is: 'switch_1' }, kind: 'yes/no' },
        ],
        ignore: ['productKey', 'status.*.1', 'status.*.2'],
    };
    const message = {
        dataId: 'AAXI3c1i6',
        devId: '6c95a93fd9',
        productKey: 'awgmk9pi',
        status: [
            { code: 'switch_1', value: false, t: 1767607199692, 1: 'false' },
            { code: 'va_temperature', value: 235, t: 1767607200001, 2: '235' },
            { code: 'va_humidity', value: 48, t: 1767607200001, 3: '48' },
            { code: 'countdown_1', value: 0, t: 1767607200001, 9: '0' },
        ],
    };
    expect(told(profile, message)).toEqual([
        '6c95a93fd9 switch 09:59:59.692 no',
        '6c95a93fd9 temperature 10:00:00.001 23.5 Cel',
        '6c95a93fd9 va_humidity 10:00:00.001 48 %',
        'unknown status.2.3',
        'unknown status.3.9',
    ]);
});

test('a mesh of radios: one topic for all kinds of messages, degrees as whole numbers (Meshtastic)', () => {
    const fix = { unless: { path: 'payload.latitude_i', is: 0, why: 'no fix' }, unit: 'deg', digits: 7, scale: '0.0000001' };
    const profile = {
        name: 'meshtastic',
        topics: ['msh/{region}/2/json/{channel}/{gateway}'],
        device: { path: 'from' },
        time: [{ path: 'payload.time', unit: 's' }, { path: 'timestamp', unit: 's' }, 'arrival'],
        identity: [{ path: 'from' }, { path: 'id' }],
        notReadings: [{ path: 'type', isNot: ['telemetry', 'position'], why: 'no measurement' }],
        metrics: [
            { name: 'latitude', path: 'payload.latitude_i', ...fix },
            { name: 'longitude', path: 'payload.longitude_i', ...fix },
            { name: 'altitude', path: 'payload.altitude', unit: 'm', digits: 0 },
            {
                name: 'battery',
                path: 'payload.battery_level',
                unit: '%',
                digits: 0,
                unless: { path: 'payload.battery_level', above: 100, why: 'external power' },
            },
            { name: 'voltage', path: 'payload.voltage', unit: 'V', digits: 3 },
            { name: 'air_util_tx', path: 'payload.air_util_tx', unit: '%', digits: 3 },
        ],
        ignore: ['channel', 'sender', 'to', 'rssi', 'snr', 'hops_away', 'hop_start'],
    };
    const of = (type: string, payload: object) => ({
        channel: 0,
        from: 2130636288,
        id: 452664778,
        sender: '!7efeee00',
        timestamp: 1767607200,
        to: -1,
        type,
        payload,
    });
    const topic = { topic: 'msh/EU_868/2/json/LongFast/!7efeee00' };
    expect(
        told(profile, of('telemetry', { battery_level: 101, voltage: 4.111, air_util_tx: 0.0298611112, channel_utilization: 3.2 }), topic),
    ).toEqual([
        '2130636288 voltage 10:00:00.000 4.111 V',
        '2130636288 air_util_tx 10:00:00.000 0.030 %',
        '2130636288 battery! external power (payload.battery_level is 101)',
        'unknown payload.channel_utilization',
    ]);
    expect(
        told(profile, of('position', { latitude_i: 404167000, longitude_i: -37033000, altitude: 667, time: 1767607190 }), topic),
    ).toEqual([
        '2130636288 latitude 09:59:50.000 40.4167000 deg',
        '2130636288 longitude 09:59:50.000 -3.7033000 deg',
        '2130636288 altitude 09:59:50.000 667 m',
    ]);
    expect(told(profile, of('text', { text: 'hello' }), topic)).toEqual(['2130636288 ! not a reading: no measurement (type is "text")']);
});

test('an event whose data are a number, a word or JSON, as its name says (Particle)', () => {
    const profile = {
        name: 'particle',
        unpack: [{ path: 'data', as: 'json', only: { path: 'event', is: 'environment' } }],
        device: { path: 'coreid' },
        time: { path: 'published_at' },
        notReadings: [{ path: 'event', like: 'spark/#', why: 'said by the cloud' }],
        metrics: [
            { name: 'temperature', path: 'data.temp', unit: 'Cel', digits: 1 },
            { name: 'humidity', path: 'data.hum', unit: '%RH', digits: 0 },
            { name: 'level', path: 'data', only: { path: 'event', is: 'level' }, unit: 'cm', digits: 1 },
        ],
    };
    const of = (event: string, data: string) => ({ event, data, published_at: '2026-01-05T10:00:00.123Z', coreid: '0123456789abcdef' });
    expect(told(profile, of('environment', '{"temp":21.30,"hum":40}'))).toEqual([
        '0123456789abcdef temperature 10:00:00.123 21.3 Cel',
        '0123456789abcdef humidity 10:00:00.123 40 %RH',
    ]);
    expect(told(profile, of('level', '132.5'))).toEqual(['0123456789abcdef level 10:00:00.123 132.5 cm']);
    expect(told(profile, of('spark/status', 'online'))).toEqual([
        '0123456789abcdef ! not a reading: said by the cloud (event is "spark/status")',
    ]);
    expect(told(profile, of('environment', 'nan'))).toEqual([
        'undefined ! the payload cannot be read: the text at "data" is no JSON: no JSON value begins here (byte 1)',
    ]);
});

test('an uplink as its network tells it: bytes, and a time with an offset (ThingPark)', () => {
    const bytes = (at: number, length: number, as: string) => ({
        from: { path: 'DevEUI_uplink.payload_hex', bytes: { encoding: 'hex', at, length, as } },
    });
    const profile = {
        name: 'thingpark',
        device: { path: 'DevEUI_uplink.DevEUI' },
        time: { path: 'DevEUI_uplink.Time' },
        identity: [{ path: 'DevEUI_uplink.DevAddr' }, { path: 'DevEUI_uplink.FCntUp' }],
        notReadings: [{ path: 'DevEUI_uplink', present: false, why: 'no uplink' }],
        metrics: [
            {
                name: 'temperature',
                ...bytes(1, 2, 'signed'),
                only: { path: 'DevEUI_uplink.FPort', is: 20 },
                scale: 0.01,
                unit: 'Cel',
                digits: 2,
            },
            { name: 'rssi', path: 'DevEUI_uplink.LrrRSSI', unit: 'dB[mW]', digits: 1 },
        ],
        ignore: ['DevEUI_uplink.Lrrs', 'DevEUI_uplink.CustomerID'],
    };
    const uplink = {
        Time: '2026-01-05T11:00:00.882+01:00',
        DevEUI: '20635F0161000000',
        DevAddr: '05567A2B',
        FPort: 20,
        FCntUp: 15,
        payload_hex: '01ff9c',
        LrrRSSI: '-60.000000',
        SpFact: '12',
        CustomerID: '1',
        Lrrs: { Lrr: [{ Lrrid: '10000001', LrrRSSI: '-60.000000' }] },
    };
    expect(told(profile, { DevEUI_uplink: uplink })).toEqual([
        '20635F0161000000 temperature 10:00:00.882 -1.00 Cel',
        '20635F0161000000 rssi 10:00:00.882 -60.0 dB[mW]',
        'unknown DevEUI_uplink.SpFact',
    ]);
    expect(told(profile, { DevEUI_uplink: { ...uplink, payload_hex: '01ff9' } })).toContain(
        '20635F0161000000 temperature! 01ff9 is no hex',
    );
    expect(told(profile, { DevEUI_downlink_Sent: { Time: '2026-01-05T11:00:00+01:00' } })).toEqual([
        'undefined ! it does not say which device it is of: none of the places that "device" names is there',
    ]);
});

test('a gateway that posts the registers of a meter as it read them (Modbus)', () => {
    const at = (register: number, words: object = {}) => ({
        from: { path: 'values', bytes: { encoding: 'registers', at: 2 * register, length: 4, as: 'float', ...words } },
    });
    const profile = {
        name: 'modbus',
        device: { path: 'slave' },
        time: { path: 'ts', unit: 'ms' },
        notReadings: [{ path: 'func', isNot: 3, why: 'no holding registers' }],
        metrics: [
            { name: 'voltage', ...at(0), unit: 'V', digits: 1 },
            { name: 'current', ...at(2, { swap: true }), unit: 'A', digits: 3 },
            { name: 'temperature', ...at(4, { length: 2, as: 'signed' }), scale: 0.1, unit: 'Cel', digits: 1 },
            { name: 'energy', ...at(5, { as: 'unsigned' }), unit: 'W.h', digits: 0 },
        ],
        ignore: ['start'],
    };
    const values = [0x4366, 0xc000, 0x0000, 0x3fc0, 0xffd8, 0x0001, 0x86a0];
    expect(told(profile, { ts: 1767607200000, slave: 17, func: 3, start: 40001, values })).toEqual([
        '17 voltage 10:00:00.000 230.8 V',
        '17 current 10:00:00.000 1.500 A',
        '17 temperature 10:00:00.000 -4.0 Cel',
        '17 energy 10:00:00.000 100000 W.h',
    ]);
    expect(told(profile, { ts: 1767607200000, slave: 17, func: 3, values: values.slice(0, 2) })).toEqual([
        '17 voltage 10:00:00.000 230.8 V',
    ]);
});
