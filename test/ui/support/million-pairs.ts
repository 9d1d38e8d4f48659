/** A lake of one day of a million pairs, made as consolidation writes it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { emptyPairRows } from '#lake/flows/pair-rows';
import { flowMeasures } from '#lake/flows/tables';
import { pairDaysKey, writePairRows } from '#test/support/flow-tables';

const SITES = ['berlin', 'lisbon', 'osaka'];

/** Pairs of a site that one source address has. */
const PAIRS_OF_SOURCE = 25;

/** Writes the day. Every twentieth pair is of IPv6. */
export async function writeManyPairs(directory: string, { day, pairs }: { day: string; pairs: number }): Promise<void> {
    const keys = Array.from({ length: pairs }, (_, at) => {
        const site = SITES[at % SITES.length] ?? '';
        const place = Math.floor(at / SITES.length);
        const [source, destination] = [Math.floor(place / PAIRS_OF_SOURCE), place % PAIRS_OF_SOURCE];
        return source % 20 === 0
            ? `${site}\n2001:db8:${(source + 1).toString(16)}::1\n2001:db8:ffff::${(destination + 1).toString(16)}`
            : `${site}\n10.${source >> 16}.${(source >> 8) & 255}.${source & 255}\n192.168.0.${destination + 1}`;
    }).sort();
    const rows = emptyPairRows(pairs);
    keys.forEach((key, at) => {
        const [site = '', source = '', destination = ''] = key.split('\n');
        rows.site.push(site);
        rows.src_ip.push(source);
        rows.dst_ip.push(destination);
        rows.flows[at] = 1n;
        rows.timed_flows[at] = 1n;
        for (const measure of flowMeasures) {
            const value = BigInt(1 + ((at * 7919) % 1_000_003));
            rows[`${measure}_sum`][at] = value;
            rows[`${measure}_sum_sq`].push(value * value);
            rows[`${measure}_min`][at] = value;
            rows[`${measure}_max`][at] = value;
        }
    });
    const path = join(directory, pairDaysKey(day));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, writePairRows(rows, { contains: ['0000000000000000.1-0000000000000000'] }));
}
