/** Quality: what became of every source, what could not be used and why; one source with its versions and rejects. */
import { Figure } from '../parts/figure.tsx';
import { Filters } from '../parts/filters.tsx';
import { Link, withChoices } from '../parts/link.tsx';
import { Empty, Note, Title } from '../parts/notes.tsx';
import { groupDigits, sayBytes } from '../parts/quantity.ts';
import { Table } from '../parts/table.tsx';
import { Day, Instant } from '../parts/time.tsx';
import type { ScreenProps } from '../screen.ts';
import { Answer } from '../shell/answer.tsx';
import { usePage } from '../use-page.ts';
import { Chains } from './quality/chains.tsx';
import { type SourceRow, StateMark } from './quality/row.tsx';
import { SourceView } from './quality/source.tsx';

interface StateCount {
    state: string;
    sources: number;
    rowsRead: string;
    rowsKept: string;
    rowsRejected: string;
    sizeBytes: string;
}

interface QualityAnswer {
    total: number;
    page: number;
    pages: number;
    states: readonly StateCount[];
    sites: readonly string[];
    kinds: readonly string[];
    twinGroups: number;
    unreadable: readonly { key: string; why: string }[];
    unreadableCount: number;
    rows: readonly SourceRow[];
}

export default function QualityScreen(props: ScreenProps) {
    const source = props.query.get('source');
    return <div class="quality">{source === null ? <Sources {...props} /> : <SourceView {...props} source={source} />}</div>;
}

const LOOKS = [
    { value: 'rejects', title: 'with rejects' },
    { value: 'doubts', title: 'with doubts' },
    { value: 'twins', title: 'with twins' },
];

const ROWS_OF_A_PAGE = 50;

function Sources(props: ScreenProps) {
    const { query } = props;
    const choice = (name: string): string | undefined => query.get(name) ?? undefined;
    const [state, look, site, kind, name, sort, page] = ['state', 'look', 'site', 'kind', 'name', 'sort', 'page'].map(choice);
    const quality = usePage<QualityAnswer>('quality', { state, look, site, kind, name, sort, page });
    const addressWith = (changes: Record<string, string | undefined>): string => withChoices('/quality', query, changes);
    // The filters stand outside of the answer, which is drawn anew: who types in one goes on typing.
    const known = quality.state === 'ready' ? quality.data : quality.state === 'loading' ? quality.before : undefined;
    const optionsOf = (names: readonly string[] = []) => names.map((one) => ({ value: one, title: one }));
    return (
        <>
            <Title>Quality</Title>
            <Filters
                {...props}
                path="/quality"
                filters={[
                    { name: 'name', label: 'Name, tool, reason or error', kind: 'search', placeholder: 'part of it' },
                    { name: 'site', label: 'Site', kind: 'choice', options: optionsOf(known?.sites ?? (site === undefined ? [] : [site])) },
                    { name: 'kind', label: 'Kind', kind: 'choice', options: optionsOf(known?.kinds ?? (kind === undefined ? [] : [kind])) },
                    { name: 'look', label: 'Those', kind: 'choice', options: LOOKS },
                ]}
            />
            <Answer of={quality}>
                {(found) => (
                    <>
                        <Unreadable found={found} />
                        <States states={found.states} chosen={state} addressWith={addressWith} />
                        {found.rows.length === 0 ? (
                            <NoSources isNarrowed={[state, look, site, kind, name].some((one) => one !== undefined)} />
                        ) : (
                            <Table
                                caption="Sources"
                                columns={columnsOf(look)}
                                rows={found.rows}
                                keyOf={({ source }) => source}
                                sort={sort ?? '-read'}
                                sortAddress={(other) => addressWith({ sort: other, page: undefined })}
                                pages={{
                                    label: sayPlace(found),
                                    previous: found.page > 1 ? addressWith({ page: String(found.page - 1) }) : undefined,
                                    next: found.page < found.pages ? addressWith({ page: String(found.page + 1) }) : undefined,
                                }}
                            />
                        )}
                    </>
                )}
            </Answer>
            <Chains />
        </>
    );
}

function sayPlace({ page, total, rows }: QualityAnswer): string {
    const first = (page - 1) * ROWS_OF_A_PAGE + 1;
    return `${groupDigits(String(first))} to ${groupDigits(String(first + rows.length - 1))} of ${groupDigits(String(total))}`;
}

/** Records of the ledger that cannot be read are not missing: what they say is not known. */
function Unreadable({ found: { unreadable, unreadableCount } }: { found: QualityAnswer }) {
    if (unreadableCount === 0) {
        return null;
    }
    return (
        <Note kind="warning">
            <p>
                {unreadableCount === 1 ? 'A record' : `${unreadableCount} records`} of the ledger cannot be read. What became of{' '}
                {unreadableCount === 1 ? 'its source' : 'their sources'} is not known, and no count on this page has{' '}
                {unreadableCount === 1 ? 'it' : 'them'}.
            </p>
            <ul>
                {unreadable.slice(0, 5).map(({ key, why }) => (
                    <li key={key}>{why}</li>
                ))}
            </ul>
        </Note>
    );
}

function NoSources({ isNarrowed }: { isNarrowed: boolean }) {
    return isNarrowed ? (
        <Empty title="No source is like that">
            <p>
                <Link to="/quality">Show all sources</Link>
            </p>
        </Empty>
    ) : (
        <Empty title="This lake has no sources yet">
            <p>
                Files go in by <code>flowlake upload FILES</code>.
            </p>
        </Empty>
    );
}

interface StatesProps {
    states: readonly StateCount[];
    chosen: string | undefined;
    addressWith(changes: Record<string, string | undefined>): string;
}

function States({ states, chosen, addressWith }: StatesProps) {
    const shown = states.filter(({ sources, state }) => sources > 0 || state === chosen);
    if (shown.length === 0) {
        return null;
    }
    return (
        <Table
            caption="Sources by state"
            columns={[
                {
                    name: 'state',
                    title: 'State',
                    cell: ({ state }) => (
                        <a
                            href={addressWith({ state: state === chosen ? undefined : state, page: undefined })}
                            aria-current={state === chosen ? 'true' : undefined}
                        >
                            <StateMark state={state} />
                            <span class="hidden">{state === chosen ? ': show all states' : ': show these'}</span>
                        </a>
                    ),
                },
                { name: 'sources', title: 'Sources', isNumber: true, cell: ({ sources }) => <Figure value={String(sources)} /> },
                { name: 'read', title: 'Rows read', isNumber: true, cell: ({ rowsRead }) => <Figure value={rowsRead} /> },
                { name: 'kept', title: 'Kept', isNumber: true, cell: ({ rowsKept }) => <Figure value={rowsKept} /> },
                { name: 'rejected', title: 'Rejected', isNumber: true, cell: ({ rowsRejected }) => <Figure value={rowsRejected} /> },
                { name: 'size', title: 'Size', isNumber: true, cell: ({ sizeBytes }) => sayBytes(sizeBytes) },
            ]}
            rows={shown}
            keyOf={({ state }) => state}
        />
    );
}

/** Columns of the list. Doubts are counted; where sources with doubts are looked for, each is said. */
const columnsOf = (look: string | undefined) => [
    {
        name: 'source',
        title: 'Source',
        isSortable: true,
        cell: ({ source, error, doubts, next, twins }: SourceRow) => (
            <div class="source-cell">
                <span class="mono">
                    <Link to="/quality" query={{ source }}>
                        {source}
                    </Link>
                </span>
                {error !== null && <span class="why">{error}</span>}
                {next !== null && <span class="next">{next}</span>}
                {doubts.length > 0 && (
                    <span class="why">
                        {look === 'doubts'
                            ? doubts.map(({ text }) => text).join('; ')
                            : `${doubts.length} ${doubts.length === 1 ? 'doubt' : 'doubts'}`}
                    </span>
                )}
                {twins !== null && (
                    <span class="why">
                        {twins.how === 'same' ? 'comes to the same figures as' : 'begins with the rows of'} {twins.others} other
                        {twins.others === 1 ? '' : 's'}
                    </span>
                )}
            </div>
        ),
    },
    { name: 'state', title: 'State', cell: ({ state }: SourceRow) => <StateMark state={state} /> },
    {
        name: 'how',
        title: 'Read as',
        cell: ({ kind, readAs, profiles, durationUnit, durationUnitBy }: SourceRow) => (
            <>
                {profiles ?? readAs ?? kind}
                {durationUnit !== null && (
                    <span class="why">
                        durations in {durationUnit}, {durationUnitBy}
                    </span>
                )}
            </>
        ),
    },
    { name: 'kept', title: 'Kept', isNumber: true, isSortable: true, cell: ({ rowsKept }: SourceRow) => <Figure value={rowsKept} /> },
    {
        name: 'rejected',
        title: 'Rejected',
        isNumber: true,
        isSortable: true,
        cell: ({ source, rowsRejected, metricsRejected }: SourceRow) => (
            <>
                {rowsRejected === null || rowsRejected === '0' ? (
                    <Figure value={rowsRejected} />
                ) : (
                    <Link to="/quality" query={{ source }}>
                        <Figure value={rowsRejected} />
                    </Link>
                )}
                {metricsRejected !== null && metricsRejected !== '0' && (
                    <span class="why">
                        <Figure value={metricsRejected} unit="metrics" />
                    </span>
                )}
            </>
        ),
    },
    {
        name: 'days',
        title: 'Days',
        cell: ({ firstDay, lastDay }: SourceRow) =>
            firstDay === null || lastDay === null ? (
                <Figure value={null} />
            ) : (
                <span class="days">
                    <Day day={firstDay} />
                    {lastDay !== firstDay && (
                        <>
                            {' '}
                            to <Day day={lastDay} />
                        </>
                    )}
                </span>
            ),
    },
    { name: 'size', title: 'Size', isNumber: true, isSortable: true, cell: ({ sizeBytes }: SourceRow) => sayBytes(sizeBytes ?? '0') },
    {
        name: 'read',
        title: 'Read at (UTC)',
        isNumber: true,
        isSortable: true,
        cell: ({ readAtMs }: SourceRow) => <Instant ms={readAtMs === null ? null : Math.floor(readAtMs / 1000) * 1000} />,
    },
];
