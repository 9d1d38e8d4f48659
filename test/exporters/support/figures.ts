/** Figures of pairs by plain grouping, and as a lake has them. */
import type { Conversation } from './capture.ts';
import type { Flow } from './count-flows.ts';
import type { Sight } from './exporters.ts';

/** What the flows of a pair come to on a day. */
interface PairFigures {
    flows: bigint;
    durationUs: Statistics;
    packets: Statistics;
}

interface Statistics {
    sum: bigint;
    min: bigint;
    max: bigint;
}

/** Figures by `day src dst`. */
export type Figures = Record<string, PairFigures>;

/** What flows come to. */
export function figuresOf(flows: readonly Flow[]): Figures {
    const groups = groupBy(flows, ({ day, src, dst }) => `${day} ${src} ${dst}`);
    return Object.fromEntries(
        [...groups].map(([pair, list]) => [
            pair,
            {
                flows: BigInt(list.length),
                durationUs: statisticsOf(list.map(({ durationUs }) => durationUs)),
                packets: statisticsOf(list.map(({ packets }) => packets)),
            },
        ]),
    );
}

/** The question whose answer `figuresOfAnswer` takes. */
export const QUESTION = `select day, src_ip, dst_ip, flows,
    flow_duration_us_sum, flow_duration_us_min, flow_duration_us_max, fwd_pkts_sum, fwd_pkts_min, fwd_pkts_max from pair_days`;

/** The same out of a lake's answer as CSV. */
export function figuresOfAnswer(csv: string): Figures {
    const [, ...lines] = csv.trimEnd().split('\n');
    return Object.fromEntries(
        lines.map((line) => {
            const [day, src, dst, ...numbers] = line.split(',');
            const [flows = -1n, ...values] = numbers.map(BigInt);
            return [`${day} ${src} ${dst}`, { flows, durationUs: statistics(values.slice(0, 3)), packets: statistics(values.slice(3)) }];
        }),
    );
}

/** The values by what they have in common. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const value of values) {
        groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
    }
    return groups;
}

/** The flows that an exporter must make of a plain conversation, out of its packets alone. */
export function flowsOfConversation(conversation: Conversation, sight: Sight): Flow[] {
    const { src, dst, packets } = conversation;
    if (sight.leavesOut?.(conversation)) {
        return [];
    }
    const [there, back] = [packets.filter(({ isForward }) => isForward), packets.filter(({ isForward }) => !isForward)];
    if (sight.rows === 'two-way') {
        return [flowOf({ src, dst, packets: there, lasting: packets }, sight)];
    }
    const ways = [
        { src, dst, packets: there },
        { src: dst, dst: src, packets: back },
    ].filter((way) => way.packets.length > 0);
    if (sight.hasEachPacketAlone?.(conversation)) {
        return ways.flatMap((way) => way.packets.map((packet) => flowOf({ ...way, packets: [packet], lasting: [packet] }, sight)));
    }
    return ways.map((way) => flowOf({ ...way, lasting: sight.rows === 'one-way' ? way.packets : packets }, sight));
}

interface Way {
    src: string;
    dst: string;
    packets: Conversation['packets'];
    /** Those whose first and last are its times. */
    lasting: Conversation['packets'];
}

function flowOf({ src, dst, packets, lasting }: Way, { stepUs, extraPackets }: Sight): Flow {
    const times = lasting.map(({ atUs }) => (atUs / stepUs) * stepUs);
    const [first = 0n, last = 0n] = [times[0], times.at(-1)];
    const day = new Date(Number(first / 1000n)).toISOString().slice(0, 10);
    return { day, src, dst, durationUs: last - first, packets: BigInt(packets.length) + extraPackets };
}

function statisticsOf(values: readonly bigint[]): Statistics {
    const ascending = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return statistics([values.reduce((sum, value) => sum + value, 0n), ascending[0] ?? 0n, ascending.at(-1) ?? 0n]);
}

function statistics([sum = -1n, min = -1n, max = -1n]: readonly bigint[]): Statistics {
    return { sum, min, max };
}
