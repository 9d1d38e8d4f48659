/** The programs whose files a sample can be written as, beside CICFlowMeter's. */
import { awsVpc } from './tools/aws-vpc.ts';
import { nfdump } from './tools/nfdump.ts';
import { nfstream } from './tools/nfstream.ts';
import { suricata } from './tools/suricata.ts';
import type { Tool } from './tools/tool.ts';
import { zeek, zeekJson } from './tools/zeek.ts';

export const tools: readonly Tool[] = [zeek, zeekJson, suricata, nfdump, nfstream, awsVpc];
