/** What the comparison comes to: how many are new, gone, grown and shrunk, with their totals; each leads to its rows. */
import { Bar } from '../../parts/bar.tsx';
import { Figure } from '../../parts/figure.tsx';
import { sayShare } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import type { Query } from '../../screen.ts';
import { CHANGE_WORDS, type ChangeTotals, type Compared, type FoundTotals, shareOf, sumOf } from './compare-answer.ts';

interface TotalsProps {
    compared: Compared;
    answer: FoundTotals;
    link(changes: Query): string;
}

export function Totals({ compared: { by, measure }, answer: { changes }, link }: TotalsProps) {
    const all = {
        number: String(sumOf(changes.map(({ number }) => number))),
        before_sum: String(sumOf(changes.map(({ before_sum }) => before_sum))),
        after_sum: String(sumOf(changes.map(({ after_sum }) => after_sum))),
    };
    const rows: readonly (ChangeTotals | (typeof all & { change: 'all' }))[] = [...changes, { change: 'all', ...all }];
    const share = (part: string, whole: string) => {
        const found = shareOf(BigInt(part), BigInt(whole));
        return found === null ? '–' : <Bar share={found} label={sayShare(found)} />;
    };
    return (
        <Table
            caption="What the comparison comes to"
            rows={rows}
            keyOf={({ change }) => change}
            columns={[
                {
                    name: 'change',
                    title: 'Change',
                    cell: ({ change }) =>
                        change === 'all' ? (
                            <strong>All</strong>
                        ) : (
                            <a href={link({ change })}>
                                <ChangeWord change={change} />
                            </a>
                        ),
                },
                { name: 'number', title: by.several, isNumber: true, cell: ({ number }) => <Figure value={number} /> },
                {
                    name: 'before',
                    title: `Before, ${measure.unit}`,
                    isNumber: true,
                    cell: ({ before_sum }) => <Figure value={before_sum} />,
                },
                { name: 'before_share', title: 'Share', cell: ({ before_sum }) => share(before_sum, all.before_sum) },
                {
                    name: 'after',
                    title: `After, ${measure.unit}`,
                    isNumber: true,
                    cell: ({ after_sum }) => <Figure value={after_sum} />,
                },
                { name: 'after_share', title: 'Share', cell: ({ after_sum }) => share(after_sum, all.after_sum) },
                {
                    name: 'difference',
                    title: 'Difference',
                    isNumber: true,
                    cell: ({ before_sum, after_sum }) => <Difference value={String(BigInt(after_sum) - BigInt(before_sum))} />,
                },
            ]}
        />
    );
}

/** The word of a change, with its mark. */
export function ChangeWord({ change }: { change: keyof typeof CHANGE_WORDS }) {
    const { mark, word } = CHANGE_WORDS[change];
    return (
        <span class={`change-word ${change}`}>
            <span class="change-mark" aria-hidden="true">
                {mark}
            </span>
            {word}
        </span>
    );
}

/** A difference with its sign. */
export function Difference({ value }: { value: string }) {
    return (
        <>
            {BigInt(value) > 0n && '+'}
            <Figure value={value} />
        </>
    );
}
