/** What goes from site to site, as far as the registry knows where addresses are: a table whose cells are the darker the more there is. */
import { Figure } from '../../parts/figure.tsx';
import { Note } from '../../parts/notes.tsx';
import { groupDigits, sayShare } from '../../parts/quantity.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { type Compared, shareOf, sumOf } from './compare-answer.ts';

interface Cell {
    /** Null: not known. */
    from: string | null;
    to: string | null;
    before_sum: string;
    after_sum: string;
}

/** Steps of the colours, --heat-0 to --heat-3: letters stand on darker ones no more. */
const HEAT_STEPS = 3;

export function SiteMatrix({ compared }: { compared: Compared }) {
    const { by: _, site: __, measure, ...periods } = compared;
    const page = usePage<{ cells: readonly Cell[] }>('site-matrix', { ...periods, measure: measure.name });
    return (
        <section aria-labelledby="matrix">
            <h2 id="matrix">From site to site</h2>
            <Answer of={page}>{({ cells }) => <Matrix cells={cells} compared={compared} />}</Answer>
        </section>
    );
}

function Matrix({ cells, compared: { measure } }: { cells: readonly Cell[]; compared: Compared }) {
    const known = cells.filter(({ from, to }) => from !== null || to !== null);
    if (known.length === 0) {
        return (
            <Note>
                <p>
                    No address of these flows is registered, so it is not known at which site a flow begins and ends. What is shown above is
                    by the site whose probe told of it. <code>flowlake device add NAME --site SITE --ip ADDRESS</code> tells the lake of
                    one.
                </p>
            </Note>
        );
    }
    const names = [...new Set(known.flatMap(({ from, to }) => [from, to]).filter((name) => name !== null))].sort();
    const sites: (string | null)[] = [...names, null];
    const cellOf = (from: string | null, to: string | null) => cells.find((cell) => cell.from === from && cell.to === to);
    const most = known.reduce((largest, { after_sum }) => (BigInt(after_sum) > largest ? BigInt(after_sum) : largest), 0n);
    const all = sumOf(cells.map(({ after_sum }) => after_sum));
    const placed = sumOf(cells.filter(({ from, to }) => from !== null && to !== null).map(({ after_sum }) => after_sum));
    const share = shareOf(placed, all);
    return (
        <>
            <div class="table">
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard */}
                <section class="table-scroll" tabIndex={0} aria-label="Table of sites">
                    <table class="matrix">
                        <caption>{measure.title} from the row’s site to the column’s, after; below it the difference to before</caption>
                        <thead>
                            <tr>
                                <th scope="col">From \ to</th>
                                {sites.map((to) => (
                                    <th key={to} scope="col" class="number">
                                        {to ?? 'not known'}
                                    </th>
                                ))}
                            </tr>
                        </thead>
                        <tbody>
                            {sites.map((from) => (
                                <tr key={from}>
                                    <th scope="row">{from ?? 'not known'}</th>
                                    {sites.map((to) => {
                                        const cell = cellOf(from, to);
                                        const isKnown = from !== null && to !== null;
                                        return (
                                            <td key={to} class={`number ${isKnown && cell ? `heat-${heatOf(cell.after_sum, most)}` : ''}`}>
                                                {cell ? <CellFigures cell={cell} /> : '–'}
                                            </td>
                                        );
                                    })}
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </section>
            </div>
            <p class="range">
                An address is at the site whose probe saw it, where a device is registered there with it; else at the only site that has a
                device with it.{' '}
                {share !== null &&
                    `${sayShare(share)} of ${measure.name === 'duration' ? 'the duration' : `the ${measure.name}`} after are between addresses whose sites are known. `}
                What the probes of two sites see is counted by both.
            </p>
        </>
    );
}

function CellFigures({ cell: { before_sum, after_sum } }: { cell: Cell }) {
    const difference = BigInt(after_sum) - BigInt(before_sum);
    return (
        <>
            <Figure value={after_sum} />
            <span class="cell-difference">
                {difference > 0n ? '▲ +' : difference < 0n ? '▼ ' : '= '}
                {groupDigits(String(difference))}
            </span>
        </>
    );
}

/** The step of the colour: of powers, because sites differ by those. */
function heatOf(figure: string, most: bigint): number {
    const [value, largest] = [Number(figure), Number(most)];
    return value <= 0 || largest <= 0 ? 0 : Math.max(1, Math.round((Math.log1p(value) / Math.log1p(largest)) * HEAT_STEPS));
}
