/** nfdump's `-B -o csv`: two-way flows, the source being who began, and a summary behind them. */
import { clockOf, secondsOf, type Tool } from './tool.ts';

const HEADER =
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,' +
    'mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';

/** Columns from `in` to `eng`, which say nothing here. */
const NOTHING = [
    ...Array.from({ length: 8 }, () => '0'),
    ...['0.0.0.0', '0.0.0.0', '0', '0'],
    ...Array.from({ length: 4 }, () => '00:00:00:00:00:00'),
    ...Array.from({ length: 10 }, () => '0-0-0'),
    ...Array.from({ length: 3 }, () => '    0.000'),
    ...['0.0.0.0', '0/0', '0'],
];

export const nfdump: Tool = {
    name: 'nfdump',
    fileEnd: 'nfdump.csv',
    open(day) {
        const total = { flows: 0, bytes: 0, packets: 0 };
        return {
            head: `${HEADER}\n`,
            rowOf(flow) {
                total.flows += 1;
                total.bytes += flow.forwardBytes + flow.backwardBytes;
                total.packets += flow.forward + flow.backward;
                const milliseconds = Math.round(flow.durationUs / 1000);
                const isTcp = flow.protocol === 6;
                const cells = [
                    spaced(flow.startSeconds),
                    spaced(flow.startSeconds + Math.floor(milliseconds / 1000)),
                    secondsOf(milliseconds * 1000).slice(0, -3),
                    ...[flow.src, flow.dst, flow.srcPort, flow.dstPort],
                    isTcp ? 'TCP' : 'UDP',
                    isTcp ? '...AP.SF' : '........',
                    ...['0', '0'],
                    ...[flow.forward, flow.forwardBytes, flow.backward, flow.backwardBytes],
                    ...NOTHING,
                    `${day} 23:59:59.000`,
                ];
                return `${cells.join(',')}\n`;
            },
            end: () => {
                const { flows, bytes, packets } = total;
                const rates = ['0', '0', String(packets === 0 ? 0 : Math.round(bytes / packets))];
                return `Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n${[flows, bytes, packets, ...rates].join(',')}\n`;
            },
        };
    },
};

function spaced(seconds: number): string {
    const { date, clock } = clockOf(seconds);
    return `${date} ${clock}`;
}
