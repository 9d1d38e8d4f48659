/** Makers that no preset knows: what docs/profiles.md teaches is enough for their messages. Forms are real, values invented. */
import { expect, test } from '@jest/globals';
import type { Message } from '#lake/telemetry/message';
import { faultsOf, parseProfile } from '#lake/telemetry/profile/profile';
import { tryProfile } from '#lake/telemetry/profile/try-profile';
import { messageOf } from '#test/support/read-messages';

/** `device metric time value unit`, or `device metric! why`. */
function linesOf(profile: object, payload: object | string, words: Partial<Message> = {}): string[] {
    expect(faultsOf(profile)).toEqual([]);
    return tryProfile(parseProfile(profile), messageOf(payload, words)).lines.map(({ is, device, metric, at, value, unit, note }) =>
        is === 'reading'
            ? [device, metric, at?.slice(11, 23), value, unit].filter((part) => part !== undefined).join(' ')
            : `${device} ${metric ?? ''}! ${note}`,
    );
}

test('a tracker with its position in one text, numbered inputs, and a multiplier for each of them', () => {
    const profile = {
        name: 'numbered-tracker',
        topics: ['{imei}/data'],
        device: { text: '{imei}' },
        time: { path: 'state.reported.ts', unit: 'ms' },
        metrics: [
            {
                name: 'latitude',
                from: { path: 'state.reported.latlng', split: ',', part: 1 },
                unit: 'deg',
                digits: 7,
                unless: { path: 'state.reported.latlng', is: '0.000000,0.000000', why: 'no fix' },
            },
            {
                name: 'longitude',
                from: { path: 'state.reported.latlng', split: ',', part: 2 },
                unit: 'deg',
                digits: 7,
                unless: { path: 'state.reported.latlng', is: '0.000000,0.000000', why: 'no fix' },
            },
            { name: 'ignition', path: 'state.reported.239', kind: 'yes/no' },
            {
                name: 'io.{id}',
                path: 'state.reported.{id}',
                unit: 'V',
                digits: 3,
                scale: { text: '{id}', map: { 66: '0.001', 67: '0.001' } },
                only: { text: '{id}', is: ['66', '67'] },
            },
        ],
        ignore: ['state.reported.evt', 'state.reported.pr'],
    };
    const reported = { ts: 1767607200000, pr: 0, latlng: '54.666042,25.225031', evt: 0, 239: 1, 66: 12567, 67: 4012 };
    expect(linesOf(profile, { state: { reported } }, { topic: '350612070000000/data' })).toEqual([
        '350612070000000 latitude 10:00:00.000 54.6660420 deg',
        '350612070000000 longitude 10:00:00.000 25.2250310 deg',
        '350612070000000 ignition 10:00:00.000 yes',
        '350612070000000 io.66 10:00:00.000 12.567 V',
        '350612070000000 io.67 10:00:00.000 4.012 V',
    ]);
    expect(linesOf(profile, { state: { reported: { ts: 1767607200000, latlng: '0.000000,0.000000' } } }, { topic: 'x/data' })).toEqual([
        'x latitude! no fix (state.reported.latlng is "0.000000,0.000000")',
        'x longitude! no fix (state.reported.latlng is "0.000000,0.000000")',
    ]);
});

test('a gateway that hands on what tags advertise, as hexadecimal, with times in quotes', () => {
    const bytes = (at: number, length: number, as: string, more: object = {}) => ({
        path: 'data',
        bytes: { encoding: 'hex', at, length, as, ...more },
    });
    const profile = {
        name: 'tags',
        topics: ['tags/{gateway}/{tag}'],
        device: { text: '{tag}' },
        time: [{ path: 'ts', unit: 's' }, { path: 'gwts', unit: 's' }, 'arrival'],
        identity: [bytes(22, 2, 'unsigned')],
        metrics: [
            {
                name: 'temperature',
                from: bytes(8, 2, 'signed'),
                scale: '0.005',
                unit: 'Cel',
                digits: 2,
                sentinels: [{ is: -32768, means: 'no sensor' }],
            },
            {
                name: 'humidity',
                from: bytes(10, 2, 'unsigned'),
                scale: '0.0025',
                unit: '%RH',
                digits: 2,
                sentinels: [{ is: 65535, means: 'no sensor' }],
            },
            { name: 'pressure', from: bytes(12, 2, 'unsigned'), offset: 50000, unit: 'Pa', digits: 0 },
            { name: 'battery', from: bytes(20, 2, 'unsigned', { bits: [5, 11] }), scale: '0.001', offset: 1.6, unit: 'V', digits: 3 },
        ],
        ignore: ['gw_mac', 'rssi', 'aoa', 'coords'],
    };
    const data = '0201061BFF99040512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F';
    const tag = { gw_mac: 'AA', rssi: -60, aoa: [], gwts: '1767607201', ts: '1767607200', data, coords: '' };
    expect(linesOf(profile, tag, { topic: 'tags/AA/BB' })).toEqual([
        'BB temperature 10:00:00.000 24.30 Cel',
        'BB humidity 10:00:00.000 53.49 %RH',
        'BB pressure 10:00:00.000 100044 Pa',
        'BB battery 10:00:00.000 2.977 V',
    ]);
});

test('a house that publishes bare states, one topic each', () => {
    const profile = {
        name: 'house',
        decoder: 'text',
        topics: ['house/sensor/{name}/state', 'house/binary_sensor/{name}/state'],
        let: { room: { text: '{name}', beforeLast: '_' } },
        device: { text: '{room}' },
        time: 'arrival',
        metrics: [
            {
                name: 'temperature',
                path: '',
                unit: 'Cel',
                digits: 1,
                only: { text: '{name}', like: '{room}_temperature' },
                sentinels: [{ is: 'unavailable', means: 'the device is away' }],
            },
            { name: 'motion', path: '', kind: 'yes/no', words: { on: true, off: false }, only: { topic: 'house/binary_sensor/+/state' } },
        ],
    };
    const of = (topic: string, payload: string) => linesOf(profile, payload, { topic: `house/${topic}/state` });
    expect(of('sensor/living_room_temperature', '21.30')).toEqual(['living_room temperature 10:00:02.000 21.3 Cel']);
    expect(of('sensor/living_room_temperature', 'unavailable')).toEqual(['living_room temperature! the device is away (unavailable)']);
    expect(of('sensor/living_room_temperature', 'nan')).toEqual(['living_room temperature! no value (nan)']);
    expect(of('binary_sensor/hall_motion', 'on')).toEqual(['hall motion 10:00:02.000 yes']);
    expect(of('sensor/hall_uptime', '77')).toEqual(['hall ! nothing in it is named by the profile']);
});

test('events of a cloud, with the body in base64 and the device among the properties of the system', () => {
    const profile = {
        name: 'cloud-events',
        each: '[]',
        unpack: [{ path: 'data.body', as: 'base64' }],
        device: { path: 'data.systemProperties.iothub-connection-device-id' },
        time: [{ path: 'data.body.at' }, { path: 'data.systemProperties.iothub-enqueuedtime' }],
        identity: [{ path: 'id' }],
        notReadings: [{ path: 'eventType', isNot: 'DeviceTelemetry', why: 'another event than telemetry' }],
        metrics: [
            {
                name: 'temperature',
                path: 'data.body.temp',
                unit: 'Cel',
                unitFrom: { path: 'data.body.unit', units: { F: '[degF]', C: 'Cel' } },
                digits: 2,
            },
        ],
        ignore: ['subject', 'eventTime', 'data.properties'],
    };
    const systemProperties = { 'iothub-connection-device-id': 'dev-1', 'iothub-enqueuedtime': '2026-01-05T10:00:00.123Z' };
    const event = (body: unknown, eventType = 'DeviceTelemetry') => ({
        id: 'e',
        subject: 's',
        eventType,
        eventTime: 'x',
        data: { properties: {}, systemProperties, body },
    });
    const base64 = Buffer.from('{"temp":70.34,"unit":"F"}').toString('base64');
    expect(linesOf(profile, [event(base64), event({ temp: 21.3, at: '2026-01-05T11:00:00+01:00' }), event({}, 'DeviceConnected')])).toEqual(
        [
            'dev-1 temperature 10:00:00.123 21.30 Cel',
            'dev-1 temperature 10:00:00.000 21.30 Cel',
            'dev-1 ! not a reading: another event than telemetry (eventType is "DeviceConnected")',
        ],
    );
});

test('an energy meter with scale factors and registers', () => {
    const profile = {
        name: 'meter',
        device: { path: 'sn' },
        time: { path: 'time', format: 'YYYY-MM-DD HH:mm:ss', zone: 'America/New_York' },
        metrics: [
            {
                name: 'power',
                path: 'regs.W',
                scalePower: { path: 'regs.W_SF' },
                unit: 'W',
                digits: 1,
                sentinels: [{ is: -32768, means: 'not implemented' }],
            },
            { name: 'energy', path: 'regs.WH.0', scale: 65536, offset: { path: 'regs.WH.1' }, unit: 'W.h', digits: 0 },
            { name: 'alarm', path: 'regs.St', kind: 'yes/no', bit: 2 },
            { name: 'state', path: 'regs.St', kind: 'text', words: { 4: 'running', 1: 'off' } },
        ],
    };
    expect(linesOf(profile, { sn: 'M1', time: '2026-01-05 05:00:00', regs: { W: 2345, W_SF: -1, WH: [18, 52], St: 4 } })).toEqual([
        'M1 power 10:00:00.000 234.5 W',
        'M1 energy 10:00:00.000 1179700 W.h',
        'M1 alarm 10:00:00.000 yes',
        'M1 state 10:00:00.000 running',
    ]);
    expect(linesOf(profile, { sn: 'M1', time: '2026-01-05 05:00:00', regs: { W: -32768, W_SF: -1 } })).toEqual([
        'M1 power! not implemented (-32768)',
    ]);
});

test('a weather service: stations with modules, each with its own time', () => {
    const profile = {
        name: 'weather',
        each: ['body.devices.{i}', 'body.devices.{i}.modules[]'],
        device: { path: '_id' },
        time: { path: 'dashboard_data.time_utc', unit: 's' },
        metrics: [
            { name: 'temperature', path: 'dashboard_data.Temperature', unit: 'Cel', digits: 1 },
            { name: 'co2', path: 'dashboard_data.CO2', unit: '[ppm]', digits: 0 },
            { name: 'battery', path: 'battery_percent', unit: '%', digits: 0 },
        ],
        ignore: ['modules'],
    };
    const message = {
        body: {
            devices: [
                {
                    _id: 'main',
                    dashboard_data: { time_utc: 1767607200, Temperature: 21.3, CO2: 640 },
                    modules: [
                        { _id: 'outdoor', battery_percent: 78, dashboard_data: { time_utc: 1767607150, Temperature: -0.4 } },
                        { _id: 'away', battery_percent: 5 },
                    ],
                },
            ],
        },
    };
    expect(linesOf(profile, message)).toEqual([
        'main temperature 10:00:00.000 21.3 Cel',
        'main co2 10:00:00.000 640 [ppm]',
        'outdoor temperature 09:59:10.000 -0.4 Cel',
        'outdoor battery 09:59:10.000 78 %',
        'away ! it does not say when it was measured: none of the places that "time" names is there',
    ]);
});

test('an edge server: readings as texts in a list, with times in ns', () => {
    const profile = {
        name: 'edge',
        each: 'readings[]',
        device: [{ path: 'deviceName' }, { path: 'deviceName', outer: true }],
        time: { path: 'origin', unit: 'ns' },
        let: { resource: { path: 'resourceName' } },
        metrics: [
            {
                name: '{resource:snake}',
                path: 'value',
                digits: 3,
                unit: '1',
                only: { path: 'valueType', is: ['Float32', 'Float64', 'Int32'] },
            },
            {
                name: '{resource:snake}',
                path: 'value',
                kind: 'yes/no',
                only: { path: 'valueType', is: 'Bool' },
                words: { true: true, false: false },
            },
        ],
        ignore: ['id', 'apiVersion'],
    };
    const reading = (resourceName: string, valueType: string, value: string) => ({
        id: 'x',
        origin: 1767607200123456789n.toString(),
        resourceName,
        valueType,
        value,
    });
    expect(
        linesOf(profile, {
            apiVersion: 'v3',
            deviceName: 'press',
            readings: [reading('OilTemp', 'Float64', '2.13e+01'), reading('Running', 'Bool', 'true'), reading('Name', 'String', 'x')],
        }),
    ).toEqual(['press oil_temp 10:00:00.123 21.300 1', 'press running 10:00:00.123 yes', 'press ! nothing in it is named by the profile']);
});

test('a platform whose values are keyed by device, each with a list of times', () => {
    const profile = {
        name: 'platform',
        each: '{device}[]',
        device: { text: '{device}' },
        time: [{ path: 'ts', unit: 'ms' }, 'arrival'],
        metrics: [{ name: '{key}', path: 'values.{key}', digits: 2, unit: '1', only: { path: 'values.{key}', type: 'number' } }],
    };
    expect(
        linesOf(profile, {
            'Device A': [{ ts: 1767607200000, values: { temperature: 42, note: 'x' } }],
            'Device B': [{ ts: 1767607201000, values: { humidity: 8.125 } }],
        }),
    ).toEqual(['Device A temperature 10:00:00.000 42.00 1', 'Device B humidity 10:00:01.000 8.13 1']);
});

test('a till that leaves out zeros, and sends what it kept while it was offline', () => {
    const profile = {
        name: 'till',
        device: { from: 'certificate' },
        time: { path: 'boot', unit: 's', plus: { path: 'ms_since_boot', unit: 'ms' } },
        identity: [{ path: 'boot' }, { path: 'seq', absent: '0' }],
        metrics: [
            { name: 'sales', path: 'sales', unit: '{EUR}', digits: 2, absent: 0, historical: { path: 'kept', is: true } },
            { name: 'drawer', path: 'drawer', kind: 'text', words: { o: 'open', c: 'closed' }, absentMeans: 'the drawer is not known' },
        ],
    };
    const { readings } = parseProfile(profile)
        .open()
        .read(messageOf({ boot: 1767607000, ms_since_boot: 200250, kept: true }, { device: 'till-1' }));
    expect(readings).toMatchObject([{ device: 'till-1', message: '1767607000:0', units: 0n, isHistorical: true }]);
    expect(
        linesOf(profile, { boot: 1767607000, ms_since_boot: 200250, seq: 1, sales: '12,50', drawer: 'o' }, { device: 'till-1' }),
    ).toEqual(['till-1 drawer 10:00:00.250 open', 'till-1 sales! "12,50" is no number']);
    expect(linesOf(profile, { boot: 1767607000, ms_since_boot: 0, sales: 1.5 }, { device: 'till-1' })).toEqual([
        'till-1 sales 09:56:40.000 1.50 {EUR}',
        'till-1 drawer! no value (absent: the drawer is not known)',
    ]);
});
