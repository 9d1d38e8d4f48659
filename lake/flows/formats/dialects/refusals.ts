/** Tools whose files cannot be read, by their columns. */
import { RA } from './argus.ts';

/** Files of other tools whose columns are known, and what to do so that they can be read. */
export const REFUSALS: readonly { has: readonly string[]; hasNot?: readonly string[]; error: string }[] = [
    {
        has: ['SRC_IP', 'DST_IP', 'TIMESTAMP_START', 'PACKETS'],
        error: 'pmacct with timestamp_start: each row is a packet and none a flow; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    {
        has: ['SRC_IP', 'PACKETS', 'BYTES'],
        error: 'sums of pmacct: they have neither flows nor times; flows come from its nfprobe plugin (then nfdump -o csv)',
    },
    { has: ['ts', 'te', 'td', 'val', 'fl'], error: 'statistics of nfdump (-s): they are no flows; write the flows: nfdump -r FILE -o csv' },
    { has: ['Date first seen'], error: 'nfdump’s lines for people (-o line, long, fmt): write nfdump -r FILE -o csv' },
    {
        has: ['SrcAddr', 'DstAddr', 'TotPkts'],
        error: `Argus without forward packets: TotPkts counts both directions, and by the defaults of ra times have no date; write ${RA}`,
    },
    {
        has: ['ip.src', 'ip.dst'],
        error: 'fields of packets, as tshark -T fields writes them: rows are packets and none a flow; make flows of the capture first (Zeek, NFStream, nfpcapd)',
    },
];
