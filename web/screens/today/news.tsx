/** Pairs and devices that came or went. */
import { Figure } from '../../parts/figure.tsx';
import { Day } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { Change, Changes, DeviceLink, limitOf, PairLink, type PartProps } from './part.tsx';

interface NewsRow {
    site: string;
    src_ip?: string;
    dst_ip?: string;
    device?: string;
    amount: string;
    seenDays: number;
    siteDays: number;
    lastDay: string | null;
}

interface NewsList {
    total: number;
    rows: readonly NewsRow[];
}

interface NewsAnswer {
    new: NewsList;
    gone: NewsList;
}

interface NewsProps extends PartProps {
    of: 'pairs' | 'devices';
}

const UNITS = { pairs: 'flow', devices: 'reading' } as const;

export function News({ of, day, query }: NewsProps) {
    const [came, went] = [`new-${of}`, `gone-${of}`];
    const limit = [came, went].map((name) => limitOf(name, query)).sort((a, b) => Number(b) - Number(a))[0];
    const news = usePage<NewsAnswer>('news', { of, day, limit });
    return (
        <Answer of={news}>
            {(found) => (
                <>
                    <Changes {...listOf(found.new, came, query)} title={`New ${of}`} none="all were there in the four weeks before">
                        {shownOf(found.new, came, query).map((row) => (
                            <Change key={keyOf(row)} site={row.site} link={<Subject row={row} day={day} />}>
                                <Figure value={row.amount} unit={row.amount === '1' ? UNITS[of] : `${UNITS[of]}s`} />; not once in the four
                                weeks before
                            </Change>
                        ))}
                    </Changes>
                    <Changes {...listOf(found.gone, went, query)} title={`Gone ${of}`} none="whatever was there day by day still is">
                        {shownOf(found.gone, went, query).map((row) => (
                            <Change key={keyOf(row)} site={row.site} link={<Subject row={row} day={day} />}>
                                nothing, though it was there on {row.seenDays} of {row.siteDays} such days before
                                {row.lastDay !== null && (
                                    <>
                                        , last on <Day day={row.lastDay} />
                                    </>
                                )}
                            </Change>
                        ))}
                    </Changes>
                </>
            )}
        </Answer>
    );
}

/** The rows of one list: both come with one answer, and only one of them may be asked for whole. */
function shownOf({ rows }: NewsList, name: string, query: URLSearchParams): readonly NewsRow[] {
    return rows.slice(0, Number(limitOf(name, query)));
}

function listOf(list: NewsList, name: string, query: URLSearchParams) {
    return { name, query, total: list.total, hasMore: list.total > shownOf(list, name, query).length };
}

function keyOf({ site, src_ip, dst_ip, device }: NewsRow): string {
    return [site, src_ip, dst_ip, device].join(' ');
}

function Subject({ row: { site, src_ip, dst_ip, device }, day }: { row: NewsRow; day: string }) {
    return device === undefined ? (
        <PairLink site={site} src={src_ip ?? ''} dst={dst_ip ?? ''} day={day} />
    ) : (
        <DeviceLink site={site} device={device} />
    );
}
