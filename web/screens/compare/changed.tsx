/** The rows of the comparison, the largest changes first. */
import { Choices } from '../../parts/choices.tsx';
import { DeviceNames, useDeviceNames } from '../../parts/device-names.tsx';
import { Figure, roundTo } from '../../parts/figure.tsx';
import { type KeysetAnswer, type ShownRows, useKeysetPages } from '../../parts/keyset-pages.ts';
import { Empty } from '../../parts/notes.tsx';
import { PairName } from '../../parts/pair-name.tsx';
import { sayShare } from '../../parts/quantity.ts';
import { type Column, Table } from '../../parts/table.tsx';
import type { Query, ScreenProps } from '../../screen.ts';
import { Answer } from '../../shell/answer.tsx';
import { addressOf } from '../../shell/router.ts';
import { sayPlace } from '../pairs/say-place.ts';
import { CHANGE_WORDS, type ChangedRow, type ChangeName, type Compared, type FoundTotals, shareOf, sumOf } from './compare-answer.ts';
import { ChangeWord, Difference } from './totals.tsx';

interface ChangedProps extends ScreenProps {
    path: string;
    compared: Compared;
    answer: FoundTotals;
    link(changes: Query): string;
}

const CHANGES = Object.keys(CHANGE_WORDS) as ChangeName[];

export function Changed(props: ChangedProps) {
    const { compared, query, path, link } = props;
    const { by, measure, ...periods } = compared;
    const change = CHANGES.find((name) => name === query.get('change'));
    const sort = query.get('sort') ?? '-change';
    const asked: Query = {
        ...periods,
        by: by.name,
        measure: measure.name,
        change,
        sort: sort.replace(/^-/, ''),
        order: sort.startsWith('-') ? 'desc' : 'asc',
    };
    const pages = useKeysetPages<KeysetAnswer<ChangedRow>>('compare', asked, { path, query });
    return (
        <section aria-labelledby="changed">
            <div class="compare-choices">
                <h2 id="changed">{by.several}</h2>
                <Choices
                    label="Show"
                    choices={[undefined, ...CHANGES].map((one) => ({
                        title: one === undefined ? 'All' : CHANGE_WORDS[one].word,
                        address: link({ change: one }),
                        isChosen: one === change,
                    }))}
                />
            </div>
            <Answer of={pages.state}>{(found) => <Rows {...props} shown={pages.show(found)} sort={sort} change={change} />}</Answer>
        </section>
    );
}

interface RowsProps extends ChangedProps {
    shown: ShownRows<ChangedRow>;
    sort: string;
    change: ChangeName | undefined;
}

function Rows({ compared, answer, link, shown, sort, change }: RowsProps) {
    const { by, measure } = compared;
    const names = useDeviceNames(shown.rows.flatMap((row) => [row.src_ip, row.dst_ip, row.address].filter((one) => one !== undefined)));
    const all = sumOf(answer.changes.map(({ after_sum }) => after_sum));
    if (shown.rows.length === 0) {
        return (
            <Empty title={change === undefined ? 'Nothing in either period' : `None is ${CHANGE_WORDS[change].word.toLowerCase()}`}>
                <p>
                    Of the {by.several.toLowerCase()} in these periods{compared.site === undefined ? '' : ` at site ${compared.site}`}.
                </p>
            </Empty>
        );
    }
    const columns: readonly Column<ChangedRow>[] = [
        { name: 'kind', title: 'Change', cell: (row) => <ChangeWord change={row.change} /> },
        { name: 'site', title: 'Site', cell: ({ site }) => <a href={link({ site })}>{site}</a> },
        ...subjectColumns(by.name, names),
        {
            name: 'before',
            title: 'Before',
            isNumber: true,
            isSortable: true,
            cell: (row) => (row.change === 'new' ? '–' : <Figure value={row.before_sum} />),
        },
        {
            name: 'after',
            title: 'After',
            isNumber: true,
            isSortable: true,
            cell: (row) => (row.change === 'gone' ? '–' : <Figure value={row.after_sum} />),
        },
        {
            name: 'change',
            title: `Difference, ${measure.unit}`,
            isNumber: true,
            isSortable: true,
            cell: ({ difference }) => <Difference value={difference} />,
        },
        { name: 'times', title: 'Times', isNumber: true, cell: sayTimes },
        {
            name: 'share',
            title: 'Share after',
            isNumber: true,
            cell: ({ after_sum }) => sayShare(shareOf(BigInt(after_sum), all)),
        },
    ];
    return (
        <Table
            caption={`${by.several} of both periods`}
            columns={columns}
            rows={shown.rows}
            keyOf={(row) => [row.site, row.address, row.src_ip, row.dst_ip].join(' ')}
            sort={sort}
            sortAddress={(other) => link({ sort: other })}
            pages={{ label: sayPlace({ offset: shown.offset, count: shown.rows.length }), next: shown.next, previous: shown.previous }}
        />
    );
}

function subjectColumns(by: Compared['by']['name'], names: ReturnType<typeof useDeviceNames>): Column<ChangedRow>[] {
    switch (by) {
        case 'site':
            return [];
        case 'device':
            return [
                {
                    name: 'address',
                    title: 'Address',
                    cell: ({ address = '', site }) => (
                        <>
                            <a class="mono pair-link" href={addressOf('/pairs', { find: address, site })}>
                                {address}
                            </a>
                            <DeviceNames addresses={[address]} site={site} of={names} />
                        </>
                    ),
                },
            ];
        case 'pair':
            return [
                {
                    name: 'pair',
                    title: 'Pair',
                    cell: ({ src_ip = '', dst_ip = '', site }) => (
                        <>
                            <a class="pair-link" href={addressOf('/pair', { src: src_ip, dst: dst_ip, site })}>
                                <PairName src={src_ip} dst={dst_ip} />
                            </a>
                            <DeviceNames addresses={[src_ip, dst_ip]} site={site} of={names} />
                        </>
                    ),
                },
            ];
    }
}

/** How many times as much there is: `1.5`. */
function sayTimes({ before_sum, after_sum }: ChangedRow): string {
    const [before, after] = [Number(before_sum), Number(after_sum)];
    return before === 0 || after === 0 ? '–' : roundTo(after / before, 3);
}
