/**
 * A sample of what a fleet of devices sends: files of JSON lines, one for each maker, site and day, and a profile for each maker. Messages stand in
 * the order in which they arrived, with all that happens on real ways: some come twice, out of order or a day late. Equal options give equal bytes.
 */
import { createCalendar } from '#sample/calendar';
import { Random, unit } from '#sample/random';
import type { FileToWrite } from '#sample/write-files';
import { checkFleet, createDevices, type Device, type FleetOptions, isIn, type Maker, type Span } from './fleet.ts';
import { copyOf, messagesOf, type SentMessage } from './messages.ts';
import { profileTexts } from './profiles.ts';

/** A message as it arrived. */
interface Arrived {
    /** When it arrived, UTC epoch milliseconds. */
    arrivedMs: number;
    payload: string;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Stream of random numbers of what happens on the way. */
const WAY = 301;

const MAKERS: readonly Maker[] = ['thermostat', 'tracker', 'till', 'cellar'];

/** The profiles, then the files of messages, by maker, site and day of arrival; a day of a site on which nothing arrived has no file. */
export function* fleetFiles(options: Partial<FleetOptions> = {}): Generator<FileToWrite> {
    const fleet = checkFleet(options);
    for (const [name, text] of profileTexts) {
        yield { path: `profiles/${name}.json`, rows: 0, chunks: [Buffer.from(text)] };
    }
    const devices = createDevices(fleet);
    for (const maker of MAKERS) {
        for (const site of fleet.sites) {
            const ofSite = devices.filter((device) => device.maker === maker && device.site === site);
            yield* ofSite.length === 0 ? [] : siteFiles(ofSite, fleet);
        }
    }
}

/** The files of one maker at one site. What arrives on the day after the last one stands in a file of that day. */
function* siteFiles(devices: readonly Device[], fleet: FleetOptions): Generator<FileToWrite> {
    const [{ maker, site }] = devices as [Device, ...Device[]];
    let later: Arrived[] = [];
    const fileOf = (day: string, arrived: Arrived[]): FileToWrite => {
        const lines = arrived.sort((a, b) => a.arrivedMs - b.arrivedMs).map(({ payload }) => `${payload}\n`);
        return { path: `${maker}/site=${site}/${maker}-${day}.jsonl`, rows: lines.length, chunks: [Buffer.from(lines.join(''))] };
    };
    const calendar = createCalendar(fleet.firstDay, fleet.days);
    for (const [dayIndex, { day, isWeekend }] of calendar.entries()) {
        const dayMs = Date.parse(`${day}T00:00:00Z`);
        const arrived = devices.flatMap((device) => {
            const random = new Random(fleet.seed, WAY, device.index * 4096 + dayIndex);
            const sent = messagesOf({ device, dayMs, dayIndex, isWeekend, seed: fleet.seed });
            return sent.flatMap((message) => arrivalsOf(message, { device, dayMs, dayIndex, random }));
        });
        const isToday = ({ arrivedMs }: Arrived): boolean => arrivedMs < dayMs + DAY;
        const today = [...later, ...arrived].filter(isToday);
        later = [...later, ...arrived].filter((one) => !isToday(one));
        if (today.length > 0) {
            yield fileOf(day, today);
        }
    }
    const endMs = Date.parse(`${calendar.at(-1)?.day}T00:00:00Z`) + DAY;
    if (later.length > 0) {
        yield fileOf(new Date(endMs).toISOString().slice(0, 'yyyy-mm-dd'.length), later);
    }
}

/** The message and its copies, each at the time when it arrives. */
function arrivalsOf(
    { atMs, payload }: SentMessage,
    { device, dayMs, dayIndex, random }: { device: Device; dayMs: number; dayIndex: number; random: Random },
): Arrived[] {
    const hour = dayIndex * 24 + (atMs - dayMs) / HOUR;
    const draw = unit(random.next());
    const { outage } = device.fate;
    // Some overtake each other; what was kept in an outage comes at once when it ends.
    const delay = draw < 0.02 ? 9 * MINUTE : 200 + 800 * draw;
    const arrivedMs = isIn(outage, hour) ? endOf(outage, dayMs, dayIndex) + delay : atMs + delay;
    const arrived = [{ arrivedMs, payload }];
    const again = unit(random.next());
    if (again < 0.012) {
        // Once in ten copies only on the next day, as from a gateway that was switched off.
        arrived.push({ arrivedMs: arrivedMs + (again < 0.0012 ? DAY : 2000), payload: copyOf(device, payload, random) });
    }
    return arrived;
}

function endOf(span: Span | undefined, dayMs: number, dayIndex: number): number {
    return dayMs + ((span?.toHour ?? 0) - dayIndex * 24) * HOUR;
}

/** Something that is in the sample on purpose. */
export interface PlannedTrouble {
    site: string;
    device: string;
    maker: Maker;
    /** The day on which it begins. */
    day: string;
}

/** The alerts that are to be found: rooms that get too warm, trackers that leave their yards. */
export function plannedTroubles(options: Partial<FleetOptions> = {}): PlannedTrouble[] {
    const fleet = checkFleet(options);
    const calendar = createCalendar(fleet.firstDay, fleet.days);
    return createDevices(fleet).flatMap(({ maker, id, site, fate }) => {
        const day = fate.trouble && calendar[Math.floor(fate.trouble.fromHour / 24)]?.day;
        return day === undefined ? [] : [{ site, device: id, maker, day }];
    });
}
