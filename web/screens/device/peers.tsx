/** Who the device's address talked to. */
import type { DevicePeers } from '../../../lake/pages/device-peers.ts';
import { Figure } from '../../parts/figure.tsx';
import { Link } from '../../parts/link.tsx';
import { Table } from '../../parts/table.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';

/** Peers that the page answers. */
const MOST = 50;

export function Peers({ of }: { of: { id: string; site: string; from: string; to: string } }) {
    const page = usePage<DevicePeers>('device-peers', of);
    return (
        <Answer of={page}>
            {({ peers }) =>
                peers.length === 0 ? null : (
                    <Table
                        caption={`Addresses that it talked to in these days${peers.length === MOST ? `: the ${MOST} busiest` : ''}`}
                        isCaptionShown
                        rows={peers}
                        keyOf={({ address, peer }) => `${address} ${peer}`}
                        columns={[
                            { name: 'peer', title: 'Address', cell: ({ peer }) => peer },
                            {
                                name: 'out',
                                title: 'Flows to it',
                                isNumber: true,
                                cell: ({ address, peer, flowsOut }) =>
                                    flowsOut === '0' ? (
                                        <Figure value="0" />
                                    ) : (
                                        <Link to="/pair" query={{ src: address, dst: peer, site: of.site }}>
                                            <Figure value={flowsOut} />
                                        </Link>
                                    ),
                            },
                            {
                                name: 'packets-out',
                                title: 'Packets to it',
                                isNumber: true,
                                cell: ({ packetsOut }) => <Figure value={packetsOut} />,
                            },
                            {
                                name: 'in',
                                title: 'Flows from it',
                                isNumber: true,
                                cell: ({ address, peer, flowsIn }) =>
                                    flowsIn === '0' ? (
                                        <Figure value="0" />
                                    ) : (
                                        <Link to="/pair" query={{ src: peer, dst: address, site: of.site }}>
                                            <Figure value={flowsIn} />
                                        </Link>
                                    ),
                            },
                            {
                                name: 'packets-in',
                                title: 'Packets from it',
                                isNumber: true,
                                cell: ({ packetsIn }) => <Figure value={packetsIn} />,
                            },
                        ]}
                    />
                )
            }
        </Answer>
    );
}
