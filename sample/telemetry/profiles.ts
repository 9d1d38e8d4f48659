/** The profiles of the sample's makers, as a user would write them: docs/profiles.md explains every word. */
import type { Maker } from './fleet.ts';
import { YARD } from './messages.ts';

const thermostat = {
    name: 'thermostat',
    description: 'room sensors of the sample: temperature, humidity, battery',
    device: { path: 'device' },
    time: { path: 'ts', unit: 's' },
    // The counter begins at 0 with each boot.
    identity: [{ path: 'boot' }, { path: 'seq' }],
    metrics: [
        {
            name: 'temperature',
            path: 'temperature',
            unit: 'Cel',
            unitFrom: { path: 'unit', units: { C: 'Cel', F: '[degF]' } },
            digits: 1,
            min: -40,
            max: 85,
        },
        { name: 'humidity', path: 'humidity', unit: '%RH', digits: 0, min: 0, max: 100 },
        { name: 'battery', path: 'battery', unit: '%', digits: 0, min: 0, max: 100, sentinels: [{ is: 255, means: 'not measured' }] },
    ],
    dueEvery: '5m',
    grace: '10m',
    gapLimit: '15m',
    alerts: [
        {
            rule: 'too-warm',
            metric: 'temperature',
            above: { raise: 30, clear: 28 },
            holdFor: '10m',
            severity: 'warning',
            message: 'the room is too warm',
        },
        {
            rule: 'battery-low',
            metric: 'battery',
            below: { raise: 10, clear: 20 },
            severity: 'info',
            message: 'the battery is to be changed',
        },
        {
            rule: 'battery-unknown',
            metric: 'battery',
            missingFor: '1d',
            severity: 'info',
            message: 'the battery is not measured any more',
        },
    ],
};

const tracker = {
    name: 'tracker',
    description: 'asset trackers of the sample: position, speed, state',
    device: { path: 'deviceId' },
    time: { path: 'timestamp', unit: 'ms' },
    metrics: [
        { name: 'latitude', path: 'latitude', unit: 'deg', digits: 6, min: -90, max: 90, nullMeans: 'no position' },
        { name: 'longitude', path: 'longitude', unit: 'deg', digits: 6, min: -180, max: 180, nullMeans: 'no position' },
        { name: 'speed', path: 'speed', unit: 'km/h', digits: 1, min: 0, max: 200 },
        { name: 'status', path: 'status', kind: 'text' },
    ],
    dueEvery: '30m',
    grace: '15m',
    gapLimit: '45m',
    alerts: [
        {
            rule: 'too-fast',
            metric: 'speed',
            above: { raise: 60, clear: 50 },
            severity: 'warning',
            message: 'it is driven too fast',
        },
        {
            rule: 'away',
            outside: { ...YARD, radiusM: 2000, backM: 1500 },
            severity: 'critical',
            message: 'it has left its yard',
        },
    ],
};

const till = {
    name: 'till',
    description: 'tills of the sample: each sale, the drawer, the paper',
    device: { path: 'till' },
    time: { path: 'time' },
    identity: [{ path: 'receipt' }],
    metrics: [
        { name: 'sale.total', path: 'sale.total', unit: 'EUR', digits: 2, min: 0 },
        { name: 'sale.items', path: 'sale.items', unit: '1', digits: 0, min: 0 },
        { name: 'drawer.open', path: 'drawer', kind: 'yes/no', words: { open: true, closed: false } },
        { name: 'paper', path: 'paper', unit: '%', digits: 0, min: 0, max: 100 },
    ],
    ignore: ['sale.currency'],
    gapLimit: '15m',
    alerts: [{ rule: 'paper-low', metric: 'paper', below: { raise: 5, clear: 50 }, severity: 'info', message: 'the paper is running out' }],
};

const cellar = {
    name: 'cellar',
    description: 'LoRaWAN sensors of the sample, as ChirpStack hands them on',
    device: { path: 'deviceInfo.devEui' },
    time: { path: 'time' },
    // The counter begins at 0 with each join, which gives a new address; deduplicationId is new for a copy.
    identity: [{ path: 'devAddr' }, { path: 'fCnt', absent: 0 }],
    metrics: [
        { name: 'temperature', path: 'object.temperature', unit: 'Cel', digits: 2, min: -40, max: 85 },
        { name: 'humidity', path: 'object.humidity', unit: '%RH', digits: 1, min: 0, max: 100 },
    ],
    ignore: ['deduplicationId', 'deviceInfo', 'adr', 'dr', 'fPort', 'confirmed', 'data', 'rxInfo'],
    dueEvery: '15m',
    grace: '20m',
    gapLimit: '45m',
};

/** Each profile as text, by its name. */
export const profileTexts: ReadonlyMap<Maker, string> = new Map(
    ([thermostat, tracker, till, cellar] as const).map((profile) => [profile.name as Maker, `${JSON.stringify(profile, undefined, 4)}\n`]),
);
