/** The flows of each exporter's file, by a few plain lines that share nothing with the readers of the lake. */

/** A flow as an exporter's file has it. */
export interface Flow {
    day: string;
    src: string;
    dst: string;
    durationUs: bigint;
    packets: bigint;
}

export function nfstreamFlows(text: string): Flow[] {
    return rowsOf(text).map((row) => ({
        day: dayOf(Number(row.bidirectional_first_seen_ms)),
        src: shortAddress(row.src_ip),
        dst: shortAddress(row.dst_ip),
        durationUs: BigInt(row.bidirectional_duration_ms ?? '') * 1000n,
        packets: BigInt(row.src2dst_packets ?? ''),
    }));
}

export function cicflowmeterFlows(text: string, { unit }: { unit: 's' | 'us' }): Flow[] {
    return rowsOf(text).map((row) => ({
        day: (row.timestamp ?? '').slice(0, 10),
        src: shortAddress(row.src_ip),
        dst: shortAddress(row.dst_ip),
        durationUs: scaled(row.flow_duration, unit === 's' ? 6 : 0),
        packets: BigInt(row.tot_fwd_pkts ?? ''),
    }));
}

/** Cells by their place, which is the same with a header and without; the rows end where the summary begins. */
export function nfdumpFlows(text: string): Flow[] {
    const [rows = ''] = text.split('\nSummary\n');
    return rows
        .split('\n')
        .filter((line) => /^\d/.test(line))
        .map((line) => {
            const [ts = '', , td, sa, da, , , , , , , ipkt = ''] = line.split(',');
            return { day: ts.slice(0, 10), src: shortAddress(sa), dst: shortAddress(da), durationUs: scaled(td, 6), packets: BigInt(ipkt) };
        });
}

export function nfdumpJsonFlows(text: string): Flow[] {
    return JSON.parse(text).map((flow: Record<string, string>) => ({
        day: flow.first?.slice(0, 10) ?? '',
        src: shortAddress(flow.src4_addr ?? flow.src6_addr),
        dst: shortAddress(flow.dst4_addr ?? flow.dst6_addr),
        durationUs: BigInt(Date.parse(`${flow.last}Z`) - Date.parse(`${flow.first}Z`)) * 1000n,
        packets: BigInt(flow.in_packets ?? ''),
    }));
}

/** Rows about Argus itself and of ARP are no flows. */
export function argusFlows(text: string): Flow[] {
    return rowsOf(text)
        .filter(({ Proto }) => Proto !== 'man' && Proto !== 'arp')
        .map((row) => ({
            day: dayOf(Number(row.StartTime) * 1000),
            src: shortAddress(row.SrcAddr),
            dst: shortAddress(row.DstAddr),
            durationUs: scaled(row.LastTime, 6) - scaled(row.StartTime, 6),
            packets: BigInt(row.SrcPkts ?? ''),
        }));
}

/** Rows by the names of a header; no cell here is quoted. */
function rowsOf(text: string): Record<string, string>[] {
    const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
    const names = header.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at] ?? '', cell.trim()])));
}

/** A decimal number times 10 to the power of `decimals`, rounded half up. */
function scaled(number: string | undefined, decimals: number): bigint {
    const [, whole, fraction = '', exponent = '0'] = /^ *(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(number ?? '') ?? [];
    if (whole === undefined) {
        throw new Error(`not a decimal number: ${number}`);
    }
    const digits = BigInt(`${whole}${fraction}`);
    const shift = decimals + Number(exponent) - fraction.length;
    const power = 10n ** BigInt(Math.abs(shift));
    return shift >= 0 ? digits * power : (2n * digits + power) / (2n * power);
}

function dayOf(epochMs: number): string {
    return new Date(epochMs).toISOString().slice(0, 10);
}

/** An address as RFC 5952 writes it, which is how URLs do. */
function shortAddress(address: string | undefined): string {
    return address?.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : (address ?? '');
}
