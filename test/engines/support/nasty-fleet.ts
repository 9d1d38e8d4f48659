/** Messages of devices with all that has ever made engines disagree: 28 digits, values below zero, odd names, equal times, hours without a value, rules that hold still. */
import { dayAfter } from '#test/support/lake-fixture';

export interface ProfileFile {
    /** Name of the file that `profile add` takes. */
    name: string;
    text: string;
}

/** Words of a command that registers a device. */
export type DeviceWords = readonly string[];

/** Count of days, from `dayAfter(0)`, a Monday, on: seven weeks, so that an hour has a past on weekends too. */
const DAYS = 49;

/** Names of sites are plain; these sort otherwise without regard to case. */
const SITES = ['main', 'Berlin', 'a.b_c'] as const;

/** Devices whose names sort otherwise by UTF-16 than by their bytes, or need quoting somewhere. The first ones are registered. */
const DEVICES = ['th-1', 'th-2', 'th-3', 'a"b', "it's", '%_\\', 'Ärger', '\uff21', '\u{1f600}'] as const;

const ALERTS = [
    { rule: 'too-warm', severity: 'warning', message: 'It’s "too" warm', metric: 'temperature', above: { raise: 30, clear: 25 } },
    {
        rule: 'too-cold',
        severity: 'critical',
        message: 'Too cold',
        metric: 'temperature',
        below: { raise: -20, clear: -10 },
        holdFor: '5m',
    },
    { rule: 'no-battery', severity: 'info', message: 'No battery level', metric: 'battery', missingFor: '2d' },
];

const PROFILE = {
    device: { path: 'id' },
    time: { path: 'at', unit: 'ms' },
    identity: [{ path: 'no' }],
    gapLimit: '30m',
    dueEvery: '1d',
    grace: '2h',
    alerts: ALERTS,
};

const METRICS = [
    { name: 'battery', path: 'battery', unit: '%', digits: 0 },
    { name: 'level', path: 'level', unit: '1', digits: 9 },
    { name: 'state', path: 'state', kind: 'text' },
    { name: 'wide', path: 'wide', unit: '1', digits: 9, statistics: false },
];

/** Profiles of which one keeps more digits of a metric than the other. */
export const PROFILES: readonly ProfileFile[] = [
    ['coarse', 1],
    ['fine', 3],
].map(([name, digits]) => {
    const metrics = [{ name: 'temperature', path: 'temperature', unit: 'Cel', digits }, ...METRICS];
    return { name: `${name}.json`, text: JSON.stringify({ name, ...PROFILE, metrics }) };
});

/** Addresses are those of test/engines/support/nasty-lake.ts, in whose flows they are found. */
export const REGISTERED: readonly DeviceWords[] = [
    ['th-1', '--profile', 'coarse', '--ip', '10.0.0.1', '--place', 'a "b", ß'],
    ['th-2', '--profile', 'coarse', '--ip', '2001:db8::1'],
    ['th-2', '--ip', '10.0.0.2', '--place', 'mast', '--from', dayAfter(9)],
    ['th-3', '--profile', 'fine'],
    ['never-heard', '--profile', 'fine', '--site', 'berlin', '--ip', '10.0.0.10'],
];

interface Said {
    site?: string;
    profile?: 'coarse' | 'fine';
    /** The payload; a text stands as it is. */
    payload: string | { id: string; at: number; no?: number; [field: string]: unknown };
}

/** Objects of a chain, as the live inbox writes them: raw key and text. Some messages came twice. */
export function fleetFiles(): { key: string; text: string }[] {
    const said = [...steady(), ...alike(), ...extremes(), ...finer(), ...unhappy(), ...broken()];
    const again = said.filter((_, at) => at % 17 === 0);
    return [chainOf('one', said), chainOf('two', again)];
}

/** A reading before nine, at nine and just before ten on every day; one device is silent for three days, of others a day stands out, or weeks have moved. */
function steady(): Said[] {
    const said: Said[] = [];
    for (let day = 0; day < DAYS; day += 1) {
        DEVICES.forEach((id, which) => {
            if (which === 2 && day >= 20 && day < 23) {
                return;
            }
            for (const [turn, time] of ['09:00:00.000', '09:10:00.250', '09:59:59.999'].entries()) {
                const wave = ((day * 7919 + which * 104_729 + turn * 31) % 23) / 10;
                const moved = (which === 1 && day >= 35 ? 6 : 0) + (which === 0 && day === 45 ? -15 : 0);
                said.push({
                    site: SITES[which < 5 ? 0 : which % SITES.length] ?? 'main',
                    payload: {
                        id,
                        at: Date.parse(`${dayAfter(day)}T${time}Z`),
                        no: day * 3 + turn,
                        temperature: (which - 3) * 2.5 + wave + moved,
                        ...(turn === 0 && which % 2 === 0 && { battery: 100 - day }),
                        ...(turn === 1 && { state: ['on', 'off'][day % 2] }),
                    },
                });
            }
        });
    }
    return said;
}

/** The last millisecond of days and the first, and equal times that only the message tells apart. */
function alike(): Said[] {
    return [5, 6, 7].flatMap((day) =>
        [0, 1, 2, 10].flatMap((no): Said[] =>
            ['T00:00:00.000Z', 'T23:59:59.999Z'].map((time) => ({
                payload: { id: 'th-1', at: Date.parse(dayAfter(day) + time), no, temperature: -0.1 * no, state: `n${no}` },
            })),
        ),
    );
}

/** Each where only all digits give the right answer, and texts that JSON, CSV and SQL quote. */
function extremes(): Said[] {
    const wide = [
        '9999999999999999999.999999999',
        '-9999999999999999999.999999999',
        '0.000000001',
        '-0.000000001',
        '0',
        '9007199254740993',
    ];
    const levels = ['999999.999999999', '-999999.999999999', '0.000000001', '-0.000000001', '-999999.999999998', '123456.123456789'];
    const states = ['', ' ', 'a,"b"\tc\n', "it's; -- ? \\n \\", 'null', 'ß\u{1f600}\uff21'];
    return wide.flatMap((value, at): Said[] =>
        SITES.map((site) => ({
            site,
            payload: {
                id: '%_\\',
                at: Date.parse(`${dayAfter(10)}T12:00:00Z`) + at * 601_003,
                no: at,
                wide: value,
                level: levels[at],
                state: states[at],
            },
        })),
    );
}

/** A day of which one hour is kept in more digits than the others. */
function finer(): Said[] {
    return ['20.001', '-20.009', '19.5', '0'].map((temperature, at) => ({
        profile: 'fine',
        payload: { id: 'th-1', at: Date.parse(`${dayAfter(12)}T15:00:00Z`) + at * 1_000, no: at, temperature },
    }));
}

/** Alerts that ended and alerts that hold still, at two sites, and a device that was heard once. */
function unhappy(): Said[] {
    const spans: [site: string, id: string, day: number, temperatures: number[]][] = [
        ['main', 'th-3', 15, [31, 30.1, 45.7, 24.9]],
        ['main', 'th-3', 16, [30, 29.9, 25]],
        ['Berlin', 'Ärger', 17, [-21, -30.5, -19, -9]],
        ['a.b_c', 'hot', 48, [31, 88.8]],
        ['main', 'once', 3, [1]],
    ];
    return spans.flatMap(([site, id, day, temperatures]) =>
        temperatures.map((temperature, at) => ({
            site,
            payload: { id, at: Date.parse(`${dayAfter(day)}T13:00:00Z`) + at * 240_000, no: at, temperature },
        })),
    );
}

/** Messages that are none, and metrics without a reading. */
function broken(): Said[] {
    return [
        { payload: '{"id": "a ""b""\tß' },
        { payload: "it's no JSON" },
        { payload: '{"at": 1767607200000}' },
        { payload: { id: 'th-1', at: Date.parse(`${dayAfter(2)}T09:00:00Z`), no: 99, temperature: 'x', level: '1e30', state: null } },
    ];
}

function chainOf(stream: string, said: readonly Said[]): { key: string; text: string } {
    const lines = said.map(({ site, profile = 'coarse', payload }, at) => {
        const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
        const arrived = typeof payload === 'string' ? Date.parse(`${dayAfter(0)}T09:00:00Z`) : payload.at + 1_500 + at;
        return JSON.stringify({
            sequence: String(at + 1),
            arrived_ms: arrived,
            way: 'http',
            profile,
            ...(site !== undefined && { site }),
            payload: text,
        });
    });
    const text = [...lines, JSON.stringify({ end: String(said.length) }), ''].join('\n');
    return { key: `raw/kind=telemetry/stream=${stream}/shard=0/0.jsonl`, text };
}
