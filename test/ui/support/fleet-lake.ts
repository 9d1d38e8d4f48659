/** A lake of a fleet for the browser: devices in trouble and silent, traffic beside readings, and texts that would like to be markup. */
import { type FleetReading, HOT, openFleet } from '#test/support/fleet-fixture';

/** What must be shown as it is. */
export const HOSTILE = '<img src=x onerror="document.title=1">';

const DAYS = ['2026-01-05', '2026-01-06', '2026-01-07', '2026-01-08', '2026-01-09', '2026-01-10', '2026-01-11'];

const HOUR_MS = 3_600_000;

interface FleetLakeOptions {
    /** How many devices beside d001, d002 and d003. */
    devices?: number;
}

/**
 * A week of three devices and more. d001 is too warm on a day and has traffic; d002 is silent for ten hours; d003 is on its way and says where it is, and its last reading
 * is none that a float of 32 bits could hold.
 */
export async function makeFleetLake({ devices = 5 }: FleetLakeOptions = {}): Promise<string> {
    const all = ['d001', 'd002', 'd003', ...Array.from({ length: devices }, (_, n) => `x${String(n).padStart(5, '0')}`)];
    const readings = DAYS.flatMap((day, ofWeek) =>
        Array.from({ length: 24 }, (_, hour) => new Date(Date.parse(day) + hour * HOUR_MS)).flatMap((time) => {
            const hour = time.getUTCHours();
            return all.flatMap((device, order): FleetReading[] => {
                if (device === 'd002' && ofWeek === 3 && hour >= 8 && hour < 18) {
                    return [];
                }
                const isHot = device === 'd001' && ofWeek === 4 && hour >= 10 && hour < 14;
                const temperature = {
                    at: time.toISOString(),
                    device,
                    is: isHot ? '34.5' : (20 + (hour % 12) / 4 + (order % 5) / 10).toFixed(1),
                };
                const place =
                    device === 'd003'
                        ? [
                              { ...temperature, metric: 'latitude', is: (52.5 + ofWeek / 100).toFixed(4) },
                              { ...temperature, metric: 'longitude', is: '13.4000' },
                          ]
                        : [];
                const battery = hour === 0 ? [{ ...temperature, metric: 'battery', is: String(100 - ofWeek) }] : [];
                return [temperature, ...place, ...battery];
            });
        }),
    );
    const { directory } = await openFleet({
        profile: {
            metrics: [
                { name: 'temperature', path: 'temperature', unit: 'Cel', digits: 1 },
                { name: 'battery', path: 'battery', unit: '%', digits: 0 },
                { name: 'latitude', path: 'latitude', digits: 4 },
                { name: 'longitude', path: 'longitude', digits: 4 },
                { name: 'status', path: 'status', kind: 'text' },
            ],
            alerts: [{ ...HOT, message: `too warm ${HOSTILE}` }],
            dueEvery: '1h',
            grace: '90m',
            gapLimit: '2h',
        },
        readings: [
            ...readings,
            { at: '2026-01-11T23:30:00Z', device: 'd003', is: '-9007199254740.9' },
            { at: '2026-01-11T23:30:00Z', device: 'd001', metric: 'status', is: HOSTILE },
        ],
        devices: [
            { device: 'd001', ip: '10.0.0.7', place: HOSTILE },
            { device: 'd002', place: 'geo:48.2,16.37' },
            ...all.slice(3).map((device, n) => ({ device, place: `geo:${(40 + (n % 100) / 10).toFixed(2)},${(n / 1000).toFixed(3)}` })),
        ].slice(0, 200),
        flows: DAYS.flatMap((day, n) => [
            { day, src: '10.0.0.7', dst: '10.0.0.1', packets: n === 0 ? 9_007_199_254_740_993n : 100n * BigInt(n) },
            { day, src: '10.0.0.1', dst: '10.0.0.7', packets: 40n },
        ]),
    });
    return directory;
}

/** Ten thousand devices of one hour, each with a place of its own. */
export async function makeLargeFleet(): Promise<string> {
    const { directory } = await openFleet({
        profile: {
            metrics: [
                { name: 'temperature', path: 'temperature', unit: 'Cel', digits: 1 },
                { name: 'latitude', path: 'latitude', digits: 4 },
                { name: 'longitude', path: 'longitude', digits: 4 },
            ],
        },
        readings: Array.from({ length: 10_000 }, (_, n) => {
            const of = { at: '2026-01-05T10:00:00Z', device: `p-${String(n).padStart(5, '0')}`, site: n % 3 === 0 ? 'north' : 'south' };
            return [
                { ...of, is: (20 + (n % 50) / 10).toFixed(1) },
                { ...of, metric: 'latitude', is: (((n * 37) % 1000) / 10 - 40).toFixed(4) },
                { ...of, metric: 'longitude', is: (((n * 91) % 3000) / 10 - 150).toFixed(4) },
            ];
        }).flat(),
    });
    return directory;
}
