/** AWS VPC flow logs, version 2, as S3 gets them: a row for each direction of a flow, in whole seconds. */
import type { PlainFlow, Tool } from './tool.ts';

const HEADER = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

const INTERFACE = ['2', '123456789012', 'eni-0123456789abcdef0'];

export const awsVpc: Tool = {
    name: 'aws-vpc',
    fileEnd: 'vpcflowlogs.log',
    open: () => ({
        head: `${HEADER}\n`,
        rowOf(flow) {
            const { src, dst, srcPort, dstPort, forward, backward, forwardBytes, backwardBytes } = flow;
            const back = rowOfDirection([dst, src, dstPort, srcPort], { packets: backward, bytes: backwardBytes }, flow);
            return (
                rowOfDirection([src, dst, srcPort, dstPort], { packets: forward, bytes: forwardBytes }, flow) + (backward > 0 ? back : '')
            );
        },
        end: () => '',
    }),
};

function rowOfDirection(
    ends: readonly (string | number)[],
    { packets, bytes }: { packets: number; bytes: number },
    { protocol, startSeconds, durationUs }: PlainFlow,
): string {
    const endSeconds = startSeconds + Math.floor(durationUs / 1e6);
    return `${[...INTERFACE, ...ends, protocol, packets, bytes, startSeconds, endSeconds, 'ACCEPT', 'OK'].join(' ')}\n`;
}
