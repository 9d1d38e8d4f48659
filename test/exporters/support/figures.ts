/** Figures of pairs by plain grouping, and as a lake has them. */
import type { Conversation } from './capture.ts';
import type { Flow, Sight } from './exporters.ts';

/** For each `day src dst` the count of flows, and sum, smallest and largest of durations and of forward packets. */
export type Figures = Record<string, string>;

/** What flows come to. */
export function figuresOf(flows: readonly Flow[]): Figures {
    const groups = groupBy(flows, ({ day, src, dst }) => `${day} ${src} ${dst}`);
    return Object.fromEntries(
        [...groups].map(([pair, list]) => {
            const [durations, packets] = [list.map(({ durationUs }) => durationUs), list.map((flow) => flow.packets)];
            return [pair, `${list.length} flows, ${statistics(durations)} us, ${statistics(packets)} packets`];
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

/** The question whose answer `figuresOfAnswer` takes. */
export const QUESTION = `select day, src_ip, dst_ip, flows,
    flow_duration_us_sum, flow_duration_us_min, flow_duration_us_max, fwd_pkts_sum, fwd_pkts_min, fwd_pkts_max from pair_days`;

/** The same out of a lake's answer as CSV. */
export function figuresOfAnswer(csv: string): Figures {
    const [, ...lines] = csv.trimEnd().split('\n');
    return Object.fromEntries(
        lines.map((line) => {
            const [day, src, dst, flows, sum, min, max, packetsSum, packetsMin, packetsMax] = line.split(',');
            return [
                `${day} ${src} ${dst}`,
                `${flows} flows, ${sum} (${min} to ${max}) us, ${packetsSum} (${packetsMin} to ${packetsMax}) packets`,
            ];
        }),
    );
}

/** The flows that an exporter must make of a plain conversation, out of its packets alone. */
export function flowsOfConversation({ src, dst, packets }: Conversation, { rows, stepUs, hasIpv6, extraPackets }: Sight): Flow[] {
    if (!hasIpv6 && src.includes(':')) {
        return [];
    }
    const flowOf = (from: string, to: string, list: Conversation['packets'], lasting = list): Flow => {
        const times = lasting.map(({ atUs }) => (atUs / stepUs) * stepUs);
        const [first = 0n, last = 0n] = [times[0], times.at(-1)];
        return {
            day: new Date(Number(first / 1000n)).toISOString().slice(0, 10),
            src: from,
            dst: to,
            durationUs: last - first,
            packets: BigInt(list.length) + extraPackets,
        };
    };
    const [there, back] = [packets.filter(({ isForward }) => isForward), packets.filter(({ isForward }) => !isForward)];
    if (rows === 'two-way') {
        return [flowOf(src, dst, there, packets)];
    }
    const lasting = rows === 'one-way' ? undefined : packets;
    return [flowOf(src, dst, there, lasting), ...(back.length === 0 ? [] : [flowOf(dst, src, back, lasting)])];
}

function statistics(values: readonly bigint[]): string {
    const ascending = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return `${values.reduce((sum, value) => sum + value, 0n)} (${ascending[0]} to ${ascending.at(-1)})`;
}
