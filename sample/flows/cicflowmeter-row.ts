/** One line of a CICFlowMeter file: its 84 columns, in its spelling and order, with its oddities. */
import type { FlowShape } from './flow-shapes.ts';
import { asciiBytes, type RowWriter } from './row-writer.ts';

const HEADER = `Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,
TotLen Bwd Pkts,Fwd Pkt Len Max,Fwd Pkt Len Min,Fwd Pkt Len Mean,Fwd Pkt Len Std,Bwd Pkt Len Max,Bwd Pkt Len Min,Bwd Pkt Len Mean,
Bwd Pkt Len Std,Flow Byts/s,Flow Pkts/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max,Flow IAT Min,Fwd IAT Tot,Fwd IAT Mean,Fwd IAT Std,
Fwd IAT Max,Fwd IAT Min,Bwd IAT Tot,Bwd IAT Mean,Bwd IAT Std,Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,Fwd URG Flags,
Bwd URG Flags,Fwd Header Len,Bwd Header Len,Fwd Pkts/s,Bwd Pkts/s,Pkt Len Min,Pkt Len Max,Pkt Len Mean,Pkt Len Std,Pkt Len Var,
FIN Flag Cnt,SYN Flag Cnt,RST Flag Cnt,PSH Flag Cnt,ACK Flag Cnt,URG Flag Cnt,CWE Flag Count,ECE Flag Cnt,Down/Up Ratio,Pkt Size Avg,
Fwd Seg Size Avg,Bwd Seg Size Avg,Fwd Byts/b Avg,Fwd Pkts/b Avg,Fwd Blk Rate Avg,Bwd Byts/b Avg,Bwd Pkts/b Avg,Bwd Blk Rate Avg,
Subflow Fwd Pkts,Subflow Fwd Byts,Subflow Bwd Pkts,Subflow Bwd Byts,Init Fwd Win Byts,Init Bwd Win Byts,Fwd Act Data Pkts,
Fwd Seg Size Min,Active Mean,Active Std,Active Max,Active Min,Idle Mean,Idle Std,Idle Max,Idle Min,Label`;

/** The header line, with its line end. */
export const HEADER_LINE: Uint8Array = asciiBytes(`${HEADER.replaceAll('\n', '')}\n`);

/** Longest row in bytes. */
export const MAX_ROW_BYTES = 1600;

/** Longest flow: CICFlowMeter cuts longer ones here. */
export const FLOW_TIMEOUT_US = 120_000_000;

const COMMA = 44;
const DASH = 45;
const US_PER_SECOND = 1_000_000;
const SUBFLOW_PAUSE_US = 1_000_000;
const IDLE_PAUSE_US = 5_000_000;
const NO_GAPS = asciiBytes(',0,0,0,0,0');
const NO_RATES = asciiBytes(',0.0,0.0');
const NO_DEVIATION = asciiBytes(',0.0');
const LABEL = asciiBytes(',No Label\n');

/** A flow as it happened. */
export interface Flow {
    /** The text that holds the source address from srcAt to dstAt and the destination address from there to endAt. */
    addresses: Uint8Array;
    srcAt: number;
    dstAt: number;
    endAt: number;
    srcPort: number;
    dstPort: number;
    /** Time as `dd/MM/yyyy hh:mm:ss AM`. */
    timestamp: Uint8Array;
    shape: FlowShape;
    durationUs: number;
    /** Share of the duration beyond the mean pause that the longest pause takes; and how short the shortest is, relative to the others. */
    silence: number;
    haste: number;
}

/** Puts the flow's row, line end included. */
export function putRow(row: RowWriter, flow: Flow): void {
    const { shape, durationUs } = flow;
    const { forward, backward } = shape;
    putEnds(row, flow);
    row.put(flow.timestamp);
    row.putByte(COMMA);
    row.putWhole(durationUs);
    row.put(shape.sizes);
    putPerSecond(row, shape.bytes, durationUs);
    putPerSecond(row, forward + backward, durationUs);
    putGaps(row, { totalUs: durationUs, gaps: forward + backward - 1, flow });
    putDirection(row, { packets: forward, totalUs: backward === 0 ? durationUs : durationUs - (durationUs >>> 9), flow });
    putDirection(row, { packets: backward, totalUs: durationUs - (durationUs >>> 8), flow });
    row.put(shape.flags);
    if (durationUs === 0) {
        row.put(NO_RATES);
    } else {
        putPerSecond(row, forward, durationUs);
        putPerSecond(row, backward, durationUs);
    }
    const pauseUs = longestGap(durationUs, forward + backward - 1, flow.silence);
    if (pauseUs <= IDLE_PAUSE_US) {
        row.put(pauseUs <= SUBFLOW_PAUSE_US ? shape.rest : shape.restWithPause);
    } else {
        row.put(shape.restBeforeIdle);
        putOneValue(row, durationUs - pauseUs);
        putOneValue(row, pauseUs);
        row.put(LABEL);
    }
}

/** Puts `Flow ID` to `Protocol`, with the comma behind. */
function putEnds(row: RowWriter, { addresses, srcAt, dstAt, endAt, srcPort, dstPort, shape }: Flow): void {
    row.putSlice(addresses, srcAt, dstAt);
    row.putByte(DASH);
    row.putSlice(addresses, dstAt, endAt);
    row.putByte(DASH);
    row.putWhole(srcPort);
    row.putByte(DASH);
    row.putWhole(dstPort);
    row.putByte(DASH);
    row.putWhole(shape.protocol);
    row.putByte(COMMA);
    row.putSlice(addresses, srcAt, dstAt);
    row.putByte(COMMA);
    row.putWhole(srcPort);
    row.putByte(COMMA);
    row.putSlice(addresses, dstAt, endAt);
    row.putByte(COMMA);
    row.putWhole(dstPort);
    row.putByte(COMMA);
    row.putWhole(shape.protocol);
    row.putByte(COMMA);
}

function putPerSecond(row: RowWriter, amount: number, durationUs: number): void {
    row.putByte(COMMA);
    row.putQuotient(amount * US_PER_SECOND, durationUs);
}

/** Puts total, mean, deviation, longest and shortest of one direction's gaps; bare zeros where it has none. */
function putDirection(row: RowWriter, { packets, totalUs, flow }: { packets: number; totalUs: number; flow: Flow }): void {
    if (packets < 2) {
        row.put(NO_GAPS);
        return;
    }
    row.putByte(COMMA);
    row.putWholeDouble(totalUs);
    putGaps(row, { totalUs, gaps: packets - 1, flow });
}

/** Puts mean, deviation, longest and shortest of gaps that add up to the total: one long, one short, the others alike. */
function putGaps(row: RowWriter, { totalUs, gaps, flow }: { totalUs: number; gaps: number; flow: Flow }): void {
    const mean = totalUs / gaps;
    const longest = longestGap(totalUs, gaps, flow.silence);
    const others = totalUs - longest;
    const shortest = gaps === 1 ? longest : gaps === 2 ? others : Math.floor((others / (gaps - 1)) * flow.haste);
    const usual = gaps < 3 ? mean : (others - shortest) / (gaps - 2);
    const squares = square(longest - mean) + square(shortest - mean) + Math.max(gaps - 2, 0) * square(usual - mean);
    row.putByte(COMMA);
    row.putQuotient(totalUs, gaps);
    row.putByte(COMMA);
    row.putDouble(gaps === 1 ? 0 : Math.sqrt(squares / (gaps - 1)));
    row.putByte(COMMA);
    row.putWholeDouble(longest);
    row.putByte(COMMA);
    row.putWholeDouble(shortest);
}

function longestGap(totalUs: number, gaps: number, silence: number): number {
    const mean = totalUs / gaps;
    return Math.ceil(mean + (totalUs - mean) * silence);
}

/** Puts mean, deviation, longest and shortest of a single value. */
function putOneValue(row: RowWriter, us: number): void {
    row.putByte(COMMA);
    row.putWholeDouble(us);
    row.put(NO_DEVIATION);
    row.putByte(COMMA);
    row.putWholeDouble(us);
    row.putByte(COMMA);
    row.putWholeDouble(us);
}

/** The square of a number. `x ** 2` may call a library's pow, whose last bit is its own affair. */
function square(x: number): number {
    return x * x;
}
