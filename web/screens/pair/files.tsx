/** The files behind the day, and whether they come to what the lake says. */
import { Bar } from '../../parts/bar.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Note } from '../../parts/notes.tsx';
import { sayShare } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import { Day, Instant } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import type { PairFound, Way } from './pair-answer.ts';

type Figures = Readonly<Record<'flows' | 'flow_duration_us_sum' | 'fwd_pkts_sum', string>>;

interface FileOfDay extends Figures {
    source: string;
    version: string;
    summarizedAt: number | null;
    rowsKept: string | null;
    rowsRejected: string | null;
    share: number | null;
}

type FilesAnswer =
    | { state: 'no_flows' | 'none'; day: string }
    | { state: 'found'; day: string; files: readonly FileOfDay[]; total: Figures; mismatches: readonly string[]; command: string };

export function FilesOfDay({ answer, way, day }: { answer: PairFound; way: Way; day: string }) {
    const page = usePage<FilesAnswer>('pair-day', { src: way.src, dst: way.dst, site: answer.site, day });
    return (
        <section aria-labelledby="files">
            <h2 id="files">
                Where <Day day={day} /> comes from
            </h2>
            <Answer of={page}>
                {(found) =>
                    found.state === 'found' ? (
                        <>
                            {found.files.length > 0 && <Files of={found} />}
                            {found.mismatches.length > 0 && (
                                <Note kind="warning">
                                    <p>The files do not come to what the lake says:</p>
                                    <ul>
                                        {found.mismatches.map((mismatch) => (
                                            <li key={mismatch}>{mismatch}</li>
                                        ))}
                                    </ul>
                                </Note>
                            )}
                            <p>
                                {found.mismatches.length === 0 && 'Together they are what the lake says, figure by figure. '}
                                The very lines: <code>{found.command}</code>
                            </p>
                        </>
                    ) : (
                        <p>
                            {found.state === 'none'
                                ? `No file has a flow from ${way.src} to ${way.dst} on this day.`
                                : 'No file of any site has flows of this day.'}
                        </p>
                    )
                }
            </Answer>
        </section>
    );
}

function Files({ of: { files, total } }: { of: Extract<FilesAnswer, { state: 'found' }> }) {
    return (
        <Table
            caption="Files of the day"
            rows={files}
            keyOf={({ source }) => source}
            columns={[
                { name: 'source', title: 'File', cell: ({ source }) => <span class="mono source-name">{source}</span> },
                { name: 'packets', title: 'Packets', isNumber: true, cell: ({ fwd_pkts_sum }) => <Figure value={fwd_pkts_sum} /> },
                { name: 'flows', title: 'Flows', isNumber: true, cell: ({ flows }) => <Figure value={flows} /> },
                {
                    name: 'duration',
                    title: 'Duration, µs',
                    isNumber: true,
                    cell: ({ flow_duration_us_sum }) => <Figure value={flow_duration_us_sum} />,
                },
                {
                    name: 'share',
                    title: `Share of ${total.flows} flows`,
                    cell: ({ share }) => (share === null ? '–' : <Bar share={share} label={sayShare(share)} />),
                },
                { name: 'kept', title: 'Rows of the file kept', isNumber: true, cell: ({ rowsKept }) => <Figure value={rowsKept} /> },
                { name: 'rejected', title: 'Rejected', isNumber: true, cell: ({ rowsRejected }) => <Figure value={rowsRejected} /> },
                { name: 'read', title: 'Read', cell: ({ summarizedAt }) => <Instant ms={summarizedAt} /> },
            ]}
        />
    );
}
