/** What each device of a sample says: messages in the forms that their makers send, each at the time when it was sent. */
import { bell, Random, unit } from '#sample/random';
import { type Device, isIn, type Maker } from './fleet.ts';

/** A message of a device, before anything happens to it on the way. */
export interface SentMessage {
    /** When it was measured, UTC epoch milliseconds. */
    atMs: number;
    /** What the device says, as text. */
    payload: string;
}

/** One day of a device. */
export interface DeviceDay {
    device: Device;
    /** Beginning of the day, UTC epoch milliseconds. */
    dayMs: number;
    /** Place of the day in the sample, from 0. */
    dayIndex: number;
    isWeekend: boolean;
    seed: number;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Stream of random numbers of messages. */
const MESSAGES = 201;

/** The device's messages of the day, in the order of their times. */
export function messagesOf(day: DeviceDay): SentMessage[] {
    const { device, dayIndex, seed } = day;
    const random = new Random(seed, MESSAGES, device.index * 4096 + dayIndex);
    return TELL[device.maker](day, random).filter(({ atMs }) => !isIn(device.fate.silence, hourIn(day, atMs)));
}

/** Hours since the sample's beginning, with a fraction. */
function hourIn({ dayMs, dayIndex }: DeviceDay, atMs: number): number {
    return dayIndex * 24 + (atMs - dayMs) / HOUR;
}

const TELL: Readonly<Record<Maker, (day: DeviceDay, random: Random) => SentMessage[]>> = { thermostat, tracker, till, cellar };

/** Every five minutes: a sensor of temperature, humidity and battery, which reboots now and then and begins to count at 0. */
function thermostat(day: DeviceDay, random: Random): SentMessage[] {
    const { device, dayMs, dayIndex, isWeekend } = day;
    const { fate } = device;
    const messages: SentMessage[] = [];
    // A reboot a week, at an hour of its own.
    const rebootsOn = device.index % 7;
    const rebootHour = (device.index * 5) % 24;
    let boot = Math.floor((dayIndex + 6 - rebootsOn) / 7);
    let sequence = 1000 + dayIndex * 288;
    let lost = 0;
    for (let minute = 0; minute < 1440; minute += 5) {
        const atMs = dayMs + minute * MINUTE + (device.index % 60) * 1000;
        const hour = hourIn(day, atMs);
        if (dayIndex % 7 === rebootsOn && minute === rebootHour * 60) {
            boot += 1;
            sequence = 0;
            // Until it has found the time again.
            lost = 2;
        }
        sequence += 1;
        const drift = fate.driftFrom !== undefined && hour > fate.driftFrom ? (hour - fate.driftFrom) / 120 : 0;
        const warm = isIn(fate.trouble, hour) ? 14 : 0;
        const presence = isWeekend ? 0.3 : 2;
        const celsius = Math.round((19.5 + presence * daylight(minute) + warm + drift + 0.15 * bell(random.next())) * 10) / 10;
        const humidity = Math.round(45 - 8 * daylight(minute) + bell(random.next()));
        // 255 is a battery that could not be measured.
        const battery = unit(random.next()) < 0.004 ? 255 : Math.max(5, 100 - Math.floor((dayIndex * 24 + minute / 60) / 40));
        const isFahrenheit = isIn(fate.fahrenheit, hour);
        const temperature = (isFahrenheit ? Math.round((celsius * 1.8 + 32) * 10) / 10 : celsius).toFixed(1);
        const clockMs = lost > 0 ? minute * MINUTE : atMs + (isIn(fate.skew, hour) ? 90 * MINUTE : 0);
        lost = Math.max(0, lost - 1);
        const payload =
            `{"device":"${device.id}","ts":${Math.floor(clockMs / 1000)},"boot":${boot},"seq":${sequence},` +
            `"temperature":${temperature},"unit":"${isFahrenheit ? 'F' : 'C'}","humidity":${humidity},"battery":${battery}}`;
        messages.push({ atMs, payload });
    }
    return messages;
}

/** Every two minutes while it moves and every half hour while it stands: position, speed and state; no position below a roof. */
function tracker(day: DeviceDay, random: Random): SentMessage[] {
    const { device, dayMs, isWeekend } = day;
    const messages: SentMessage[] = [];
    for (let minute = device.index % 2; minute < 1440; ) {
        const atMs = dayMs + minute * MINUTE;
        const hour = hourIn(day, atMs);
        const isAway = isIn(device.fate.trouble, hour);
        const isMoving = isAway || (!isWeekend && minute > 7 * 60 && minute < 17 * 60 && minute % 120 < 80);
        const isIndoors = !isMoving && unit(random.next()) < 0.2;
        // By day it goes round within a kilometre of its yard; whoever takes it away goes ten times as far.
        const metres = isAway ? 9000 : isMoving ? 700 : 5;
        const turn = (minute % 120) / 120;
        const latitude = YARD.latitude + (metres / 111_195) * (2 * Math.abs(2 * turn - 1) - 1);
        const longitude = YARD.longitude + (metres / 111_195) * (2 * Math.abs(2 * ((turn + 0.25) % 1) - 1) - 1);
        const speed = isMoving ? Math.max(0, 32 + 9 * bell(random.next())) : 0;
        const position = isIndoors
            ? '"latitude":null,"longitude":null'
            : `"latitude":${latitude.toFixed(6)},"longitude":${longitude.toFixed(6)}`;
        const clockMs = atMs + (isIn(device.fate.skew, hour) ? 90 * MINUTE : 0);
        const payload = `{"deviceId":"${device.id}","timestamp":${clockMs},${position},"speed":${speed.toFixed(1)},"status":"${isMoving ? 'moving' : 'parked'}"}`;
        messages.push({ atMs, payload });
        minute += isMoving ? 2 : 30;
    }
    return messages;
}

/** Where trackers belong: the middle of the fence of profile `tracker`, in degrees. */
export const YARD = { latitude: 52.508, longitude: 13.376 };

/** Offsets of the sites' clocks in winter, hours. */
const OFFSETS: Readonly<Record<string, number>> = { berlin: 1, lisbon: 0, osaka: 9 };

/** Each sale at a till, while the shop is open: a total in euros, as text, and how many items. */
function till(day: DeviceDay, random: Random): SentMessage[] {
    const { device, dayMs, isWeekend } = day;
    const offset = OFFSETS[device.site] ?? 0;
    const messages: SentMessage[] = [];
    let paper = 100;
    for (let second = 9 * 3600; second < (isWeekend ? 14 : 20) * 3600; second += 60 + Math.floor(360 * unit(random.next()))) {
        const atMs = dayMs + second * 1000 - offset * HOUR;
        const items = 1 + Math.floor(unit(random.next()) * 6);
        const cents = items * (95 + Math.floor(unit(random.next()) * 1200));
        paper = paper > 3 ? paper - (items > 3 ? 1 : 0) : 100;
        const total = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
        const zone = `${offset < 0 ? '-' : '+'}${String(Math.abs(offset)).padStart(2, '0')}:00`;
        const time = `${new Date(atMs + offset * HOUR).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}${zone}`;
        const payload =
            `{"till":"${device.id}","time":"${time}","receipt":"${device.id}-${messages.length + 1}","sale":{"total":"${total}","currency":"EUR","items":${items}},` +
            `"drawer":"${unit(random.next()) < 0.02 ? 'open' : 'closed'}","paper":${paper}}`;
        messages.push({ atMs, payload });
    }
    return messages;
}

/** Every quarter of an hour over a LoRaWAN mast: temperature and humidity of a cellar, as ChirpStack hands them on. */
function cellar(day: DeviceDay, random: Random): SentMessage[] {
    const { device, dayMs, dayIndex } = day;
    const messages: SentMessage[] = [];
    for (let minute = device.index % 15; minute < 1440; minute += 15) {
        const atMs = dayMs + minute * MINUTE + 123;
        const number = dayIndex * 96 + messages.length;
        const temperature = (11 + 0.6 * daylight(minute) + 0.05 * bell(random.next())).toFixed(2);
        const humidity = (71 + bell(random.next())).toFixed(1);
        // It joins anew every third day, and begins to count at 0.
        const session = Math.floor(dayIndex / 3);
        const payload =
            `{"deduplicationId":"${randomId(random)}","time":"${new Date(atMs).toISOString().replace('Z', '+00:00')}",` +
            `"deviceInfo":{"tenantName":"sample","applicationId":"22222222-2222-4222-8222-222222222222","applicationName":"cellars","deviceName":"cellar-${device.index}","devEui":"${device.id}","tags":{}},` +
            `"devAddr":"01ab${String(session).padStart(4, '0')}","adr":true,"dr":5,"fCnt":${number - session * 288},"fPort":2,"confirmed":false,"data":"ANUBLA==",` +
            `"object":{"temperature":${temperature},"humidity":${humidity}},` +
            `"rxInfo":[{"gatewayId":"0a0b0c0d0e0f1011","uplinkId":${number},"rssi":${-90 - Math.floor(unit(random.next()) * 25)},"snr":7.5}]}`;
        messages.push({ atMs, payload });
    }
    return messages;
}

/** A copy of a message as the network sends it twice: ChirpStack gives it a new id, all others the very same bytes. */
export function copyOf({ maker }: Device, payload: string, random: Random): string {
    return maker === 'cellar' ? payload.replace(/"deduplicationId":"[^"]*"/, `"deduplicationId":"${randomId(random)}"`) : payload;
}

function randomId(random: Random): string {
    const hex = Array.from({ length: 4 }, () => random.next().toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** From 0 at night to 1 at two in the afternoon, in straight lines: the same on every machine. */
function daylight(minute: number): number {
    return Math.max(0, 1 - Math.abs(minute - 14 * 60) / (8 * 60));
}
