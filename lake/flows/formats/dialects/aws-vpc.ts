/** Flow logs of AWS VPC, in any custom format that has what is needed. */
import type { SkipReason } from '../../flow-sink.ts';
import { type Dialect, SERIAL_DAYS_END, seconds } from './dialect.ts';

const VPC_NAMES = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

export const AWS_VPC: Dialect = {
    name: 'aws-vpc',
    columns: { src_ip: ['srcaddr'], dst_ip: ['dstaddr'], timestamp: ['start'], flow_duration: ['end'], fwd_pkts: ['packets'] },
    isEnd: true,
    unit: seconds,
    minEpochSeconds: SERIAL_DAYS_END,
    separators: [' ', '\t', ','],
    rowKind: {
        columns: [['log-status', 'log_status']],
        of: ([status = '']) => VPC_STATES.get(vpcState(status)),
        plain: ['log-status', 'log_status'],
        isFlow: (bytes, start) => bytes[start] === LETTER_O,
    },
    headless: [
        { names: VPC_NAMES.split(' '), isRow: isVpcRecord },
        // As CloudWatch exports it.
        {
            names: ['@timestamp', ...VPC_NAMES.split(' ')],
            isRow: ([time = '', ...cells]) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time) && isVpcRecord(cells),
        },
    ],
};

/** OK, and neither NODATA nor SKIPDATA. */
const LETTER_O = 'O'.charCodeAt(0);

function isVpcRecord(cells: readonly string[]): boolean {
    return cells.length === 14 && /^\d$/.test(cells[0] ?? '') && /^(OK|NODATA|SKIPDATA)$/.test(vpcState(cells[13] ?? ''));
}

/** The state as AWS writes it; records that were copied from a page in the web have blanks of other sorts behind it. */
function vpcState(written: string): string {
    return /^([A-Z]+)[^A-Z]*$/.exec(written.toUpperCase())?.[1] ?? '';
}

const VPC_STATES: ReadonlyMap<string, SkipReason> = new Map([
    ['NODATA', 'no_data'],
    ['SKIPDATA', 'skip_data'],
]);
