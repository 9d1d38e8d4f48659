/** A fleet's files are the same for the same seed, and hold all that happens to real ones. */
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '#lake/errors';
import { createDevices, DEFAULT_FLEET, type FleetOptions } from '#sample/telemetry/fleet';
import { fleetFiles, plannedTroubles } from '#sample/telemetry/sample-files';

const FLEET = { devices: 24, days: 6 };

/** The lines of each file of messages, by its path. */
function linesOf(options: Partial<FleetOptions> = FLEET): Map<string, string[]> {
    const files = [...fleetFiles(options)].filter(({ path }) => !path.startsWith('profiles/'));
    return new Map(
        files.map(({ path, chunks }) => [
            path,
            Buffer.concat([...chunks])
                .toString()
                .trimEnd()
                .split('\n'),
        ]),
    );
}

/** The messages of one maker, in the order of their arrival. */
function messagesOf(maker: string): Record<string, any>[] {
    return [...linesOf()].filter(([path]) => path.startsWith(`${maker}/`)).flatMap(([, lines]) => lines.map((line) => JSON.parse(line)));
}

describe('a fleet', () => {
    test('is the same for the same seed, and another one for another', () => {
        expect(linesOf()).toEqual(linesOf());
        expect(linesOf()).not.toEqual(linesOf({ ...FLEET, seed: 2 }));
    });

    test('has a folder for each maker, with a file for each site and day, and a profile', () => {
        const paths = [...fleetFiles(FLEET)].map(({ path }) => path);
        expect(paths.slice(0, 4)).toEqual([
            'profiles/thermostat.json',
            'profiles/tracker.json',
            'profiles/till.json',
            'profiles/cellar.json',
        ]);
        expect(paths).toContain('thermostat/site=berlin/thermostat-2026-01-05.jsonl');
        expect(new Set(paths).size).toBe(paths.length);
    });

    test('says how many messages a file has', () => {
        for (const { path, rows, chunks } of fleetFiles(FLEET)) {
            const text = Buffer.concat([...chunks]).toString();
            expect([path, rows]).toEqual([path, path.startsWith('profiles/') ? 0 : text.split('\n').length - 1]);
        }
    });

    test('keeps its devices when there are more days', () => {
        const idsOf = (days: number) => createDevices({ ...DEFAULT_FLEET, days }).map(({ id, site }) => `${id} ${site}`);
        expect(idsOf(60)).toEqual(idsOf(6));
        expect(new Set(idsOf(6)).size).toBe(DEFAULT_FLEET.devices);
    });

    test.each([{ devices: 0 }, { days: 0 }, { days: 1.5 }, { seed: -1 }, { firstDay: '2026-02-30' }, { devices: 1e9 }])(
        'cannot have %j',
        (options) => {
            expect(() => [...fleetFiles(options)]).toThrow(UsageError);
        },
    );
});

describe('on the way', () => {
    test('some messages come twice, the very same bytes, some of them only the next day', () => {
        const lines = linesOf();
        const firstIn = new Map<string, string>();
        let [sameDay, nextDay] = [0, 0];
        for (const [path, ofFile] of lines) {
            for (const line of ofFile) {
                const before = firstIn.get(line);
                if (before === undefined) {
                    firstIn.set(line, path);
                } else {
                    sameDay += before === path ? 1 : 0;
                    nextDay += before === path ? 0 : 1;
                }
            }
        }
        expect(sameDay).toBeGreaterThan(50);
        expect(nextDay).toBeGreaterThan(5);
    });

    test('a copy of ChirpStack has another id, and the same session and counter', () => {
        const byCounter = new Map<string, Set<string>>();
        for (const { deviceInfo, devAddr, fCnt, deduplicationId } of messagesOf('cellar')) {
            const name = `${deviceInfo.devEui} ${devAddr} ${fCnt}`;
            byCounter.set(name, (byCounter.get(name) ?? new Set()).add(deduplicationId));
        }
        expect([...byCounter.values()].filter(({ size }) => size === 2).length).toBeGreaterThan(3);
        expect(Math.max(...messagesOf('cellar').map(({ fCnt }) => fCnt))).toBeLessThan(288);
    });

    test('some overtake others, and what was kept in an outage comes hours late', () => {
        const delays = messagesOf('thermostat').map(({ ts }, at, all) => (at === 0 ? 0 : all[at - 1]?.ts - ts));
        expect(delays.filter((delay) => delay > 0 && delay < 900).length).toBeGreaterThan(20);
        expect(Math.max(...delays.filter((delay) => delay < 1e9))).toBeGreaterThan(8 * 3600);
    });
});

test('devices reboot, lose their clocks, have batteries that are not measured and tell other units', () => {
    const messages = messagesOf('thermostat');
    expect(messages.some(({ seq, ts }) => seq === 1 && ts < 86_400)).toBe(true);
    expect(new Set(messages.filter(({ device }) => device === 'thermostat-002').map(({ unit }) => unit))).toEqual(new Set(['C', 'F']));
    expect(messages.filter(({ battery }) => battery === 255).length).toBeGreaterThan(5);
    expect(messagesOf('tracker').some(({ latitude }) => latitude === null)).toBe(true);
});

test('the troubles that are planned are in the messages', () => {
    const [room, thief] = ['thermostat', 'tracker'].map((maker) => plannedTroubles(FLEET).find((trouble) => trouble.maker === maker));
    const hottest = messagesOf('thermostat')
        .filter(({ device, unit }) => device === room?.device && unit === 'C')
        .sort((a, b) => b.temperature - a.temperature)[0];
    expect(hottest?.temperature).toBeGreaterThan(31);
    expect(new Date((hottest?.ts ?? 0) * 1000).toISOString().slice(0, 10)).toBe(room?.day);
    const farthest = messagesOf('tracker').sort((a, b) => Math.abs(b.latitude - 52.508) - Math.abs(a.latitude - 52.508))[0];
    expect(farthest?.deviceId).toBe(thief?.device);
});
