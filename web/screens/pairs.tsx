/** Pairs of devices: searched by address or network, sorted by any measure, a page at a time. */
import { DeviceNames, useDeviceNames } from '../parts/device-names.tsx';
import { Figure } from '../parts/figure.tsx';
import { type Filter, Filters } from '../parts/filters.tsx';
import { type KeysetAnswer, type ShownRows, useKeysetPages } from '../parts/keyset-pages.ts';
import { withChoices } from '../parts/link.tsx';
import { Empty, Title } from '../parts/notes.tsx';
import { PairName } from '../parts/pair-name.tsx';
import { groupDigits } from '../parts/quantity.ts';
import { type Column, Table } from '../parts/table.tsx';
import type { Query, ScreenProps } from '../screen.ts';
import { Answer } from '../shell/answer.tsx';
import { addressOf } from '../shell/router.ts';
import { NoFlowsYet } from './pairs/no-flows.tsx';
import { sayPlace } from './pairs/say-place.ts';
import { useSiteFilter } from './pairs/site-filter.ts';

type PairRow = Readonly<Record<PairColumn, string>>;

type PairColumn = 'site' | 'src_ip' | 'dst_ip' | 'days' | 'first_day' | 'last_day' | 'flows' | 'flow_duration_us_sum' | 'fwd_pkts_sum';

interface Totals {
    pairs: string;
    flows: string;
    flow_duration_us_sum: string;
    fwd_pkts_sum: string;
}

type PairsAnswer =
    | { state: 'no_flows' }
    | { state: 'no_days' | 'none'; first: string; last: string }
    | (KeysetAnswer<PairRow> & {
          state: 'found';
          searched: { address: string | null; src: string | null; dst: string | null };
          totals: Totals | null;
      });

const PATH = '/pairs';

/** Which end an address is searched at, and the parameter that asks for it. */
const ENDS: Readonly<Record<string, 'address' | 'src' | 'dst'>> = { src: 'src', dst: 'dst' };

const FILTERS: readonly Filter[] = [
    { name: 'find', label: 'Address, beginning or network', kind: 'search', placeholder: '10.1.0.7, 10.1. or 10.1.0.0/16' },
    {
        name: 'end',
        label: 'At which end',
        kind: 'choice',
        options: [
            { value: 'src', title: 'the source' },
            { value: 'dst', title: 'the destination' },
        ],
    },
];

const DAYS: readonly Filter[] = [
    { name: 'from', label: 'From', kind: 'day' },
    { name: 'to', label: 'To', kind: 'day' },
];

/** Choices that are of other rows once something else has changed. */
const PLACES = ['after', 'before'];

export default function PairsScreen(props: ScreenProps) {
    const { query } = props;
    const site = useSiteFilter();
    const sort = query.get('sort') ?? '-packets';
    const find = query.get('find') ?? undefined;
    const parameters: Query = {
        [ENDS[query.get('end') ?? ''] ?? 'address']: find,
        site: query.get('site') ?? undefined,
        from: query.get('from') ?? undefined,
        to: query.get('to') ?? undefined,
        by: sort.replace(/^-/, ''),
        order: sort.startsWith('-') ? 'desc' : 'asc',
    };
    const pages = useKeysetPages<PairsAnswer>('pairs', parameters, { path: PATH, query });
    return (
        <>
            <Title>Pairs</Title>
            <Filters {...props} path={PATH} filters={[...FILTERS, site, ...DAYS]} resets={PLACES} />
            <Answer of={pages.state}>
                {(answer) =>
                    answer.state === 'found' ? (
                        <Found {...props} answer={answer} sort={sort} shown={pages.show(answer)} />
                    ) : (
                        <Nothing {...props} answer={answer} />
                    )
                }
            </Answer>
        </>
    );
}

type Found = Extract<PairsAnswer, { state: 'found' }>;

interface FoundProps extends ScreenProps {
    answer: Found;
    shown: ShownRows<PairRow>;
    sort: string;
}

function Found({ query, answer, shown, sort }: FoundProps) {
    const { rows, offset, next, previous } = shown;
    const names = useDeviceNames(rows.flatMap(({ src_ip, dst_ip }) => [src_ip, dst_ip]));
    const { totals, searched } = answer;
    const said = searched.address ?? searched.src ?? searched.dst;
    const end = searched.src !== null ? 'Source' : searched.dst !== null ? 'Destination' : 'Source or destination';
    const columns: readonly Column<PairRow>[] = [
        {
            name: 'name',
            title: 'Site',
            isSortable: true,
            cell: ({ site }) => <a href={withChoices(PATH, query, { site, after: undefined, before: undefined })}>{site}</a>,
        },
        {
            name: 'pair',
            title: 'Pair',
            cell: (row) => (
                <>
                    <a class="pair-link" href={addressOf('/pair', { src: row.src_ip, dst: row.dst_ip, site: row.site })}>
                        <PairName src={row.src_ip} dst={row.dst_ip} />
                    </a>
                    <DeviceNames addresses={[row.src_ip, row.dst_ip]} site={row.site} of={names} />
                </>
            ),
        },
        { name: 'packets', title: 'Packets', isNumber: true, isSortable: true, cell: (row) => <Figure value={row.fwd_pkts_sum} /> },
        { name: 'flows', title: 'Flows', isNumber: true, isSortable: true, cell: (row) => <Figure value={row.flows} /> },
        {
            name: 'duration',
            title: 'Duration, µs',
            isNumber: true,
            isSortable: true,
            cell: (row) => <Figure value={row.flow_duration_us_sum} />,
        },
        { name: 'days', title: 'Days', isNumber: true, isSortable: true, cell: (row) => <Figure value={row.days} /> },
        { name: 'first', title: 'First day', isSortable: true, cell: (row) => <time dateTime={row.first_day}>{row.first_day}</time> },
        { name: 'last', title: 'Last day', isSortable: true, cell: (row) => <time dateTime={row.last_day}>{row.last_day}</time> },
    ];
    return (
        <>
            <p class="found" role="status">
                {totals && (
                    <>
                        <strong>{groupDigits(totals.pairs)}</strong> {totals.pairs === '1' ? 'pair' : 'pairs'}, {groupDigits(totals.flows)}{' '}
                        flows, {groupDigits(totals.fwd_pkts_sum)} packets
                    </>
                )}
                {said !== null && (
                    <>
                        {totals && '. '}
                        {end} {said}
                    </>
                )}
            </p>
            <Table
                caption="Pairs"
                columns={columns}
                rows={rows}
                keyOf={(row) => `${row.site} ${row.src_ip} ${row.dst_ip}`}
                sort={sort}
                sortAddress={(other) => withChoices(PATH, query, { sort: other, after: undefined, before: undefined })}
                pages={{ label: sayPlace({ offset, count: rows.length }), next, previous }}
            />
        </>
    );
}

function Nothing({ query, answer }: ScreenProps & { answer: Exclude<PairsAnswer, Found> }) {
    if (answer.state === 'no_flows') {
        return <NoFlowsYet />;
    }
    const { first, last } = answer;
    if (answer.state === 'no_days') {
        return (
            <Empty title="No flows on these days">
                <p>
                    The lake has flows from {first} to {last}.{' '}
                    <a href={withChoices(PATH, query, { from: undefined, to: undefined, after: undefined, before: undefined })}>
                        Look at all days
                    </a>
                    .
                </p>
            </Empty>
        );
    }
    return (
        <Empty title="No such pair">
            <p>
                There are flows on these days, and none of them is between such addresses
                {query.get('site') === null ? '' : ` at site ${query.get('site')}`}. A whole address finds itself; put a <code>*</code>{' '}
                behind it to find those that begin with it. <a href={PATH}>Look at all pairs</a>.
            </p>
        </Empty>
    );
}
