/** Turns the flows of one site and day into the bytes of a file, CICFlowMeter's or another tool's, chunk by chunk. */

import { hash, Random, unit } from '#sample/random';
import { FLOW_TIMEOUT_US, type Flow, HEADER_LINE, MAX_ROW_BYTES, putRow } from './cicflowmeter-row.ts';
import { DayRhythm, DaySchedule } from './day-schedule.ts';
import { createShapes, createTeardown, type FlowShape, SHAPES_PER_SERVICE } from './flow-shapes.ts';
import { asciiBytes, RowWriter } from './row-writer.ts';
import { SERVICE_LIST, serviceNumber } from './services.ts';
import { TimestampText } from './timestamp-text.ts';
import type { PlainFlow, ToolFile } from './tools/tool.ts';
import type { SiteDay } from './traffic.ts';

const CHUNK_BYTES = 256 * 1024;
const SCAN = serviceNumber('scan');

/** Keys that keep the random numbers of different purposes apart. */
const FOR_SHAPES = 201;
const FOR_ROWS = 202;
const FOR_LEVELS = 203;

const FIRST_EPHEMERAL_PORT = 32_768;
const EPHEMERAL_PORTS = 28_232;
const SCANNED_PORTS = 10_000;

/** A service, ready to make flows. */
interface Speech {
    rhythm: DayRhythm;
    shapes: readonly FlowShape[];
    /** Shape of the end of a TCP connection; undefined for other services. */
    teardown: FlowShape | undefined;
}

/** The services with the shapes of their flows; worked out once for all files of a sample. */
export function createSpeeches(seed: number): readonly Speech[] {
    return SERVICE_LIST.map(({ flow, rhythm }, service) => {
        const random = new Random(seed, FOR_SHAPES, service);
        const teardown = flow.protocol === 'tcp' ? createTeardown(flow, random) : undefined;
        return { rhythm: new DayRhythm(rhythm), shapes: createShapes(flow, random), teardown };
    });
}

interface WriteOptions {
    speeches: readonly Speech[];
    seed: number;
    /** The file as another tool writes it; CICFlowMeter's where there is none. */
    file: ToolFile | undefined;
}

/** The file of one site and day: a header line and a row for each flow. Each chunk is the reader's own. */
export function* writeFlows(siteDay: SiteDay, { speeches, seed, file }: WriteOptions): Generator<Uint8Array> {
    const { network, siteNumber, dayNumber, calendarDay, flowsOfPair } = siteDay;
    const random = new Random(hash(seed, FOR_ROWS, siteNumber), dayNumber);
    const services = servicesOfDay(siteDay);
    const levels = Uint8Array.from(services, (_, pair) => hash(seed, FOR_LEVELS, siteNumber, pair) % SHAPES_PER_SERVICE);
    const speechOf = (pair: number) => entry(speeches, services[pair] ?? 0);
    const schedule = new DaySchedule({ flowsOfPair, rhythmOf: (pair) => speechOf(pair).rhythm, random });
    const clock = new TimestampText(calendarDay.day);
    const writer = new RowWriter(CHUNK_BYTES + 2 * MAX_ROW_BYTES);
    const midnight = Date.parse(`${calendarDay.day}T00:00:00Z`) / 1000;
    writer.put(file ? asciiBytes(file.head) : HEADER_LINE);
    const flow = createFlow(network.addresses, clock.bytes, entry(entry(speeches, 0).shapes, 0));
    for (let pair = schedule.next(); pair >= 0; pair = schedule.next()) {
        clock.show(schedule.second);
        flow.srcAt = network.srcAt[pair] ?? 0;
        flow.dstAt = network.dstAt[pair] ?? 0;
        flow.endAt = network.srcAt[pair + 1] ?? 0;
        drawFlow(flow, { speech: speechOf(pair), level: levels[pair] ?? 0, random });
        const start = writer.length;
        if (file) {
            const plain = toPlain(flow, midnight + schedule.second);
            writer.put(asciiBytes(file.rowOf(plain) + (schedule.isRepeated ? file.rowOf(plain) : '')));
        } else {
            putRow(writer, flow);
            if (schedule.isRepeated) {
                writer.repeat(start);
            }
        }
        if (writer.length >= CHUNK_BYTES) {
            yield writer.take();
        }
    }
    writer.put(asciiBytes(file?.end() ?? ''));
    if (writer.length > 0) {
        yield writer.take();
    }
}

/** Bytes in front of what a packet carries: Ethernet's are not counted. */
const HEADER_BYTES = { 6: 40, 17: 28 };

/** The flow as other tools tell of it. The payload is shared out by packets: the sample knows that of both directions together. */
function toPlain({ addresses, srcAt, dstAt, endAt, srcPort, dstPort, shape, durationUs }: Flow, startSeconds: number): PlainFlow {
    const { protocol, forward, backward, bytes } = shape;
    const text = Buffer.from(addresses.buffer, addresses.byteOffset, addresses.length);
    const sent = Math.floor((bytes * forward) / (forward + backward));
    return {
        src: text.toString('latin1', srcAt, dstAt),
        dst: text.toString('latin1', dstAt, endAt),
        srcPort,
        dstPort,
        protocol,
        startSeconds,
        durationUs,
        forward,
        backward,
        forwardBytes: sent + forward * HEADER_BYTES[protocol],
        backwardBytes: bytes - sent + backward * HEADER_BYTES[protocol],
    };
}

/** The services of the site's pairs; on the day of a scan the scanned pair speaks otherwise. */
function servicesOfDay({ network, anomalies, dayNumber }: SiteDay): Uint8Array {
    const services = network.services.slice();
    for (const anomaly of anomalies) {
        if (anomaly.kind === 'scan' && anomaly.dayNumber === dayNumber) {
            services[anomaly.pair] = SCAN;
        }
    }
    return services;
}

/** One object for all flows of a file: a new one for each would cost a tenth of the time. */
function createFlow(addresses: Uint8Array, timestamp: Uint8Array, shape: FlowShape): Flow {
    return { addresses, timestamp, shape, srcAt: 0, dstAt: 0, endAt: 0, srcPort: 0, dstPort: 0, durationUs: 0, silence: 0.5, haste: 0.5 };
}

/** Makes the flow one of this service; `level` is the shape that the pair's flows are usually close to. */
function drawFlow(flow: Flow, { speech, level, random }: { speech: Speech; level: number; random: Random }): void {
    const choice = random.next();
    const length = random.next();
    const look = random.next();
    const place = level + (choice & 15) + ((choice >>> 4) & 15) - 15;
    const isTeardown = ((choice >>> 8) & 15) === 0;
    const usual = entry(speech.shapes, Math.min(Math.max(place, 0), SHAPES_PER_SERVICE - 1));
    const shape = isTeardown ? (speech.teardown ?? usual) : usual;
    const packets = shape.forward + shape.backward;
    // Two packets that the probe's clock could not tell apart: where CICFlowMeter's Infinity and NaN come from.
    const isInstant = packets === 2 && ((choice >>> 12) & 31) === 0;
    const durationUs = Math.max(Math.floor(shape.durationUs * (0.5 + unit(length))), packets);
    flow.shape = shape;
    flow.durationUs = isInstant ? 0 : durationUs < FLOW_TIMEOUT_US ? durationUs : FLOW_TIMEOUT_US - (length & 0xffff);
    flow.srcPort = FIRST_EPHEMERAL_PORT + ((look >>> 16) % EPHEMERAL_PORTS);
    flow.dstPort = shape.port === 0 ? 1 + ((choice >>> 17) % SCANNED_PORTS) : shape.port;
    flow.silence = shape.silence * (0.75 + (look & 255) / 1024);
    flow.haste = 0.1 + ((look >>> 8) & 255) / 320;
}

function entry<T>(list: readonly T[], place: number): T {
    const found = list[place];
    if (found === undefined) {
        throw new RangeError(`place ${place} of ${list.length}`);
    }
    return found;
}
