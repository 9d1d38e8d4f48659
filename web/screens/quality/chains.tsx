/** The chains of live messages: how far each reaches, and how far it is in the tables. Nothing of a lake without any. */
import { Figure } from '../../parts/figure.tsx';
import { Link } from '../../parts/link.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';

interface Chain {
    stream: string;
    shard: string;
    objects: number;
    read: number;
    waiting: number;
    firstWaiting: string | null;
    failed: number;
    retracted: number;
    pruned: number;
    messagesKept: string;
    messagesRejected: string;
    readings: string;
    end: { sequence: string; arrivedMs: number } | { why: string } | null;
}

export function Chains() {
    const chains = usePage<{ chains: readonly Chain[] }>('chains');
    return (
        <Answer of={chains}>
            {({ chains: all }) =>
                all.length === 0 ? null : (
                    <section aria-labelledby="chains">
                        <h2 id="chains">Chains of live messages</h2>
                        <Table
                            caption="How far each chain reaches"
                            columns={[
                                {
                                    name: 'chain',
                                    title: 'Chain',
                                    cell: ({ stream, shard }) => <span class="mono">{`${stream} / ${shard}`}</span>,
                                },
                                {
                                    name: 'end',
                                    title: 'Reaches to',
                                    cell: ({ end }) =>
                                        end === null ? (
                                            'pruned'
                                        ) : 'why' in end ? (
                                            <span class="fault">cannot be read: {end.why}</span>
                                        ) : (
                                            <>
                                                message <Figure value={end.sequence} />
                                                <span class="why">
                                                    arrived <Instant ms={end.arrivedMs} />
                                                </span>
                                            </>
                                        ),
                                },
                                {
                                    name: 'objects',
                                    title: 'Objects',
                                    isNumber: true,
                                    cell: ({ objects, pruned }) => (
                                        <>
                                            <Figure value={String(objects)} />
                                            {pruned > 0 && (
                                                <span class="why">
                                                    <Figure value={String(pruned)} /> pruned
                                                </span>
                                            )}
                                        </>
                                    ),
                                },
                                {
                                    name: 'waiting',
                                    title: 'In no table yet',
                                    isNumber: true,
                                    cell: ({ waiting, firstWaiting }) =>
                                        firstWaiting === null ? (
                                            <Figure value="0" />
                                        ) : (
                                            <Link to="/quality" query={{ source: firstWaiting }}>
                                                <Figure value={String(waiting)} />
                                            </Link>
                                        ),
                                },
                                {
                                    name: 'failed',
                                    title: 'Failed',
                                    isNumber: true,
                                    cell: ({ failed, stream, shard }) =>
                                        failed === 0 ? (
                                            <Figure value="0" />
                                        ) : (
                                            <Link to="/quality" query={{ state: 'failed', name: `stream=${stream}/shard=${shard}/` }}>
                                                <Figure value={String(failed)} />
                                            </Link>
                                        ),
                                },
                                {
                                    name: 'kept',
                                    title: 'Messages kept',
                                    isNumber: true,
                                    cell: ({ messagesKept }) => <Figure value={messagesKept} />,
                                },
                                {
                                    name: 'rejected',
                                    title: 'Rejected',
                                    isNumber: true,
                                    cell: ({ messagesRejected }) => <Figure value={messagesRejected} />,
                                },
                                {
                                    name: 'readings',
                                    title: 'Readings',
                                    isNumber: true,
                                    cell: ({ readings }) => <Figure value={readings} />,
                                },
                            ]}
                            rows={all}
                            keyOf={({ stream, shard }) => `${stream}/${shard}`}
                        />
                    </section>
                )
            }
        </Answer>
    );
}
