/** Who a device's address talked to. */
import { z } from '@hono/zod-openapi';
import { namedRows, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { daysOf, Instants } from './time-range.ts';

const MAX_PEERS = 50;

const Parameters = z.strictObject({ id: z.string(), site: z.string(), ...Instants });

/** The answer of the page, as its reader gets it. */
export type DevicePeers = Awaited<ReturnType<typeof answer>>;

export const devicePeersPage = definePage({
    name: 'device-peers',
    parameters: Parameters,
    reads: (asked) => [{ table: 'pair_days', ...daysOf(asked) }, { table: 'pair_days', ...daysOf(asked) }, { table: 'devices' }],
    answer,
});

async function answer({ id, site, from, to }: z.output<typeof Parameters>, context: PageContext) {
    const days = daysOf({ from, to });
    const parameters = [id, site, days.from, days.to, days.from, days.to, BigInt(MAX_PEERS)];
    return {
        peers: namedRows(await context.ask(PEERS, { parameters })).map((row) => ({
            address: String(row.address),
            peer: String(row.peer),
            flowsOut: textIn(row, 'flows_out'),
            packetsOut: textIn(row, 'pkts_out'),
            flowsIn: textIn(row, 'flows_in'),
            packetsIn: textIn(row, 'pkts_in'),
        })),
    };
}

/** View device_traffic for each other address: the device's address is the registry's on each day. */
const PEERS = `
with own as (
    select site, ip, coalesce(valid_from, '0001-01-01') as first_day, coalesce(valid_to, '9999-12-31') as end_day
    from devices
    where device = ? and site = ? and ip is not null
),

ends as (
    select o.ip as address, p.dst_ip as peer, p.flows as flows_out, p.fwd_pkts_sum as pkts_out, cast(0 as bigint) as flows_in, cast(0 as bigint) as pkts_in
    from pair_days as p
    inner join own as o on o.site = p.site and o.ip = p.src_ip and p.day >= o.first_day and p.day < o.end_day
    where p.day >= ? and p.day <= ?
    union all
    select o.ip as address, p.src_ip as peer, cast(0 as bigint) as flows_out, cast(0 as bigint) as pkts_out, p.flows as flows_in, p.fwd_pkts_sum as pkts_in
    from pair_days as p
    inner join own as o on o.site = p.site and o.ip = p.dst_ip and p.day >= o.first_day and p.day < o.end_day
    where p.dst_ip <> p.src_ip and p.day >= ? and p.day <= ?
),

summed as (
    select
        address,
        peer,
        cast(sum(flows_out) as bigint) as flows_out,
        cast(sum(pkts_out) as bigint) as pkts_out,
        cast(sum(flows_in) as bigint) as flows_in,
        cast(sum(pkts_in) as bigint) as pkts_in
    from ends
    group by address, peer
),

ranked as (
    select *, row_number() over (order by flows_out + flows_in desc, address, peer) as place
    from summed
)

select address, peer, flows_out, pkts_out, flows_in, pkts_in
from ranked
where place <= ?
order by place`;
