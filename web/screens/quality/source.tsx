/** One source: how it was read, what is doubtful, its rejects with their lines, and every version that it had. */
import type { ComponentChildren } from 'preact';
import { Figure } from '../../parts/figure.tsx';
import { Link, withChoices } from '../../parts/link.tsx';
import { Note, Title } from '../../parts/notes.tsx';
import { sayBytes } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import { Day, Instant } from '../../parts/time.tsx';
import type { ScreenProps } from '../../screen.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { type SourceRow, StateMark } from './row.tsx';

interface Version {
    number: number;
    state: string;
    committedMs: number | null;
    endedMs: number | null;
    periods: number;
    rowsRead: string | null;
    rowsKept: string | null;
    rowsRejected: string | null;
    sizeBytes: string | null;
    error: string | null;
}

interface SourceAnswer extends SourceRow {
    twinSources: readonly string[];
    options: Readonly<Record<string, string>>;
    inputs: string | null;
    versionCount: number;
    versions: readonly Version[];
}

interface SourceProps extends ScreenProps {
    source: string;
}

export function SourceView({ source, query }: SourceProps) {
    const answer = usePage<SourceAnswer>('source', { source });
    return (
        <>
            <Title more={<Link to="/quality">‹ All sources</Link>}>
                <span class="mono">{source}</span>
            </Title>
            <Answer of={answer}>
                {(found) => (
                    <>
                        <Notes found={found} />
                        <Facts found={found} />
                        {hasRejects(found) && <Rejects found={found} query={query} />}
                        <Versions found={found} />
                    </>
                )}
            </Answer>
        </>
    );
}

function hasRejects({ rowsRejected, metricsRejected }: SourceRow): boolean {
    return [rowsRejected, metricsRejected].some((count) => count !== null && count !== '0');
}

function Notes({ found: { state, error, next, doubts, twins, twinSources } }: { found: SourceAnswer }) {
    return (
        <>
            {(error !== null || next !== null) && (
                <Note kind={state === 'skipped' ? 'info' : 'warning'}>
                    {error !== null && <p>{error}</p>}
                    {next !== null && <p>{next}</p>}
                </Note>
            )}
            {doubts.map(({ text, remedy }) => (
                <Note key={text + remedy}>
                    <p>
                        {text}: {remedy}
                    </p>
                </Note>
            ))}
            {twins !== null && (
                <Note>
                    <p>
                        It {twins.how === 'same' ? 'comes to the same figures as' : 'begins with the same rows as'}{' '}
                        {twinSources.slice(0, 3).map((other, at) => (
                            <>
                                {at > 0 && ', '}
                                <span class="mono" key={other}>
                                    <Link to="/quality" query={{ source: other }}>
                                        {other}
                                    </Link>
                                </span>
                            </>
                        ))}
                        {twins.others > 3 && ` and ${twins.others - 3} more`}: if they hold the same twice, take one out by{' '}
                        <code>flowlake retract</code>
                    </p>
                </Note>
            )}
        </>
    );
}

const DATE_ORDERS: Readonly<Record<string, string>> = {
    dmy: 'day first',
    mdy: 'month first',
    ymd: 'year first',
    epoch: 'instants, which have no order',
    assumed: 'nothing tells; day first was taken',
};

const SETTLED: Readonly<Record<string, string>> = {
    witnessed: 'the rows tell so',
    named: 'the format says so',
    assumed: 'nothing tells; it was taken',
    given: 'who uploaded it said so',
};

function Facts({ found }: { found: SourceAnswer }) {
    const { durationUnit, durationUnitBy, dateOrder, options } = found;
    return (
        <section class="card" aria-label="How it was read">
            <dl class="facts">
                <Fact name="State">
                    <StateMark state={found.state} />
                </Fact>
                <Fact name="Site">{found.site}</Fact>
                <Fact name="Kind">{found.kind}</Fact>
                <Fact name="Read as">{found.readAs}</Fact>
                <Fact name="Profiles">{found.profiles}</Fact>
                <Fact name="Rows read">{found.rowsRead !== null && <Figure value={found.rowsRead} />}</Fact>
                <Fact name="Kept">{found.rowsKept !== null && <Figure value={found.rowsKept} />}</Fact>
                <Fact name="Rejected">{found.rowsRejected !== null && <Figure value={found.rowsRejected} />}</Fact>
                <Fact name="Metrics rejected">{found.metricsRejected !== null && <Figure value={found.metricsRejected} />}</Fact>
                <Fact name="Skipped">
                    {found.rowsSkipped !== null && found.rowsSkipped !== '0' && (
                        <>
                            <Figure value={found.rowsSkipped} /> ({found.skipped})
                        </>
                    )}
                </Fact>
                <Fact name="Days">
                    {found.firstDay !== null && found.lastDay !== null && (
                        <>
                            <Link to="/" query={{ day: found.firstDay }}>
                                <Day day={found.firstDay} />
                            </Link>
                            {found.lastDay !== found.firstDay && (
                                <>
                                    {' '}
                                    to{' '}
                                    <Link to="/" query={{ day: found.lastDay }}>
                                        <Day day={found.lastDay} />
                                    </Link>
                                </>
                            )}
                        </>
                    )}
                </Fact>
                <Fact name="Unit of durations">
                    {durationUnit !== null && `${durationUnit} (${SETTLED[durationUnitBy ?? ''] ?? durationUnitBy})`}
                </Fact>
                <Fact name="Order of dates">{dateOrder !== null && (DATE_ORDERS[dateOrder] ?? dateOrder)}</Fact>
                <Fact name="Said at the upload">
                    {Object.keys(options).length > 0 &&
                        Object.entries(options)
                            .map(([name, value]) => `${name} ${value}`)
                            .join(', ')}
                </Fact>
                <Fact name="Read with">{found.inputs}</Fact>
                <Fact name="Size">{found.sizeBytes !== null && sayBytes(found.sizeBytes)}</Fact>
                <Fact name="Read at">{found.readAtMs !== null && <Instant ms={found.readAtMs} />}</Fact>
            </dl>
        </section>
    );
}

/** A fact; nothing where it is not known, or has no meaning for the source. */
function Fact({ name, children }: { name: string; children: ComponentChildren }) {
    return children === null || children === false ? null : (
        <div>
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

interface Reject {
    lineNumber: string;
    metric: string | null;
    reason: string;
    why: string | null;
    line: string;
}

interface RejectsAnswer {
    page: number;
    hasMore: boolean;
    areMissing: boolean;
    rows: readonly Reject[];
}

const ROWS_OF_A_PAGE = 50;

function Rejects({ found, query }: { found: SourceAnswer; query: URLSearchParams }) {
    const reason = query.get('reason') ?? undefined;
    const rejects = usePage<RejectsAnswer>('rejects', { source: found.source, reason, page: query.get('page') ?? undefined });
    const addressWith = (changes: Record<string, string | undefined>): string => withChoices('/quality', query, changes);
    return (
        <section aria-labelledby="rejects">
            <h2 id="rejects">What could not be used</h2>
            <Reasons text={found.rejected} chosen={reason} addressOf={(other) => addressWith({ reason: other, page: undefined })} />
            <Answer of={rejects}>
                {({ page, hasMore, areMissing, rows }) =>
                    areMissing ? (
                        <Note kind="warning">
                            <p>
                                The ledger tells of rejects, and the object that holds them is missing:{' '}
                                <code>flowlake verify --repair</code> reads the file once more.
                            </p>
                        </Note>
                    ) : (
                        <Table
                            caption="Rejected rows"
                            columns={[
                                { name: 'line', title: 'Line', isNumber: true, cell: ({ lineNumber }) => <Figure value={lineNumber} /> },
                                {
                                    name: 'reason',
                                    title: 'Reason',
                                    cell: ({ reason: code, metric, why }) => (
                                        <>
                                            <code>{code}</code>
                                            {metric !== null && <span class="why">metric {metric}</span>}
                                            {why !== null && <span class="why">{why}</span>}
                                        </>
                                    ),
                                },
                                { name: 'row', title: 'As it was read', cell: ({ line }) => <code class="line">{line}</code> },
                            ]}
                            rows={rows}
                            keyOf={({ lineNumber, metric, reason: code }) => `${lineNumber} ${metric} ${code}`}
                            pages={{
                                label:
                                    rows.length === 0
                                        ? 'none'
                                        : `${(page - 1) * ROWS_OF_A_PAGE + 1} to ${(page - 1) * ROWS_OF_A_PAGE + rows.length}`,
                                previous: page > 1 ? addressWith({ page: String(page - 1) }) : undefined,
                                next: hasMore ? addressWith({ page: String(page + 1) }) : undefined,
                            }}
                        />
                    )
                }
            </Answer>
        </section>
    );
}

interface ReasonsProps {
    /** `negative 3, nan 1` */
    text: string | null;
    chosen: string | undefined;
    addressOf(reason: string | undefined): string;
}

function Reasons({ text, chosen, addressOf }: ReasonsProps) {
    const reasons = (text ?? '').split(', ').flatMap((one) => {
        const [, reason, count] = /^(\S+) (\d+)$/.exec(one) ?? [];
        return reason === undefined || count === undefined ? [] : [{ reason, count }];
    });
    if (reasons.length === 0) {
        return null;
    }
    return (
        <nav class="reasons" aria-label="Reasons">
            {reasons.map(({ reason, count }) => (
                <a
                    key={reason}
                    href={addressOf(reason === chosen ? undefined : reason)}
                    aria-current={reason === chosen ? 'true' : undefined}
                >
                    <code>{reason}</code> <Figure value={count} />
                </a>
            ))}
            {chosen !== undefined && <a href={addressOf(undefined)}>all reasons</a>}
        </nav>
    );
}

function Versions({ found: { versions, versionCount } }: { found: SourceAnswer }) {
    if (versionCount === 0) {
        return null;
    }
    return (
        <section aria-labelledby="versions">
            <h2 id="versions">Versions</h2>
            <Table
                caption="Versions, the newest first"
                columns={[
                    { name: 'number', title: 'Number', isNumber: true, cell: ({ number }) => <Figure value={String(number)} /> },
                    {
                        name: 'state',
                        title: 'State',
                        cell: ({ state, error }) => (
                            <>
                                <StateMark state={state} />
                                {error !== null && <span class="why">{error}</span>}
                            </>
                        ),
                    },
                    { name: 'committed', title: 'From (UTC)', cell: ({ committedMs }) => <Instant ms={committedMs} /> },
                    {
                        name: 'ended',
                        title: 'To (UTC)',
                        cell: ({ endedMs, state }) => (state === 'live' ? 'now' : <Instant ms={endedMs} />),
                    },
                    { name: 'periods', title: 'Days or hours', isNumber: true, cell: ({ periods }) => <Figure value={String(periods)} /> },
                    { name: 'read', title: 'Rows read', isNumber: true, cell: ({ rowsRead }) => <Figure value={rowsRead} /> },
                    { name: 'kept', title: 'Kept', isNumber: true, cell: ({ rowsKept }) => <Figure value={rowsKept} /> },
                    { name: 'rejected', title: 'Rejected', isNumber: true, cell: ({ rowsRejected }) => <Figure value={rowsRejected} /> },
                    {
                        name: 'size',
                        title: 'Size',
                        isNumber: true,
                        cell: ({ sizeBytes }) => (sizeBytes === null ? <Figure value={null} /> : sayBytes(sizeBytes)),
                    },
                ]}
                rows={versions}
                keyOf={({ number }) => String(number)}
            />
            {versionCount > versions.length && (
                <p>
                    The newest {versions.length} of {versionCount}.
                </p>
            )}
        </section>
    );
}
