/** The dialects of text with separators that there are. A new one is a file in dialects/ and an entry here; docs/reading.md has its columns too. */
import { ARGUS, ARGUS_WITHOUT_END } from './dialects/argus.ts';
import { AWS_VPC } from './dialects/aws-vpc.ts';
import { CICFLOWMETER } from './dialects/common.ts';
import type { Dialect } from './dialects/dialect.ts';
import { NDPI } from './dialects/ndpi.ts';
import { CIDDS, NFDUMP, NFDUMP_FAST, NFDUMP_SHORT } from './dialects/nfdump.ts';
import { NFSTREAM } from './dialects/nfstream.ts';
import { NPROBE } from './dialects/nprobe.ts';
import { NTLFLOWLYZER } from './dialects/ntlflowlyzer.ts';
import { SILK } from './dialects/silk.ts';
import { TON_IOT } from './dialects/ton-iot.ts';
import { UNSW_NB15 } from './dialects/unsw-nb15.ts';

/** Every dialect that is told by its columns alone; the three of the common names are told apart by `commonDialect`. */
export const DIALECTS: readonly Dialect[] = [
    CICFLOWMETER,
    NFDUMP,
    NFDUMP_SHORT,
    NFDUMP_FAST,
    CIDDS,
    NFSTREAM,
    ARGUS,
    ARGUS_WITHOUT_END,
    AWS_VPC,
    NTLFLOWLYZER,
    TON_IOT,
    UNSW_NB15,
    NPROBE,
    NDPI,
    SILK,
];

/** The dialects whose names a refused header is compared with first. */
export const [FIRST_DIALECT] = DIALECTS as readonly [Dialect];
