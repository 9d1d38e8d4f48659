/** How much there was on the day, beside what is usual; and the sites that sent nothing, which are told first. */
import { Figure } from '../../parts/figure.tsx';
import { Link, withChoices } from '../../parts/link.tsx';
import { Note } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { Day } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import type { PageState } from '../../use-page.ts';
import type { PartProps } from './part.tsx';

interface SiteAmount {
    site: string;
    amount: string;
    pairs?: string;
    devices?: string;
    usual: string | null;
    usualDays: number;
}

interface QuietSite {
    site: string;
    sentDays: number;
    days: number;
    last: string;
    strip: readonly (string | null)[];
}

interface KindAmounts {
    /** Null where the day cannot be read. */
    amount: string | null;
    unreadable: readonly { day: string; why: string }[];
    pairs?: string;
    devices?: string;
    packets?: string;
    durationUs?: string;
    siteCount: number;
    sites: readonly SiteAmount[];
    quiet: readonly QuietSite[];
}

export interface TodayAnswer {
    day: string;
    flows: KindAmounts | null;
    telemetry: KindAmounts | null;
}

interface AmountsProps extends PartProps {
    today: PageState<TodayAnswer>;
    /** Kinds of data that the lake has. */
    kinds: readonly string[];
}

export function Amounts({ today, kinds, day, query }: AmountsProps) {
    return (
        <Answer of={today}>
            {({ flows, telemetry }) => (
                <>
                    <QuietSites flows={flows?.quiet ?? []} telemetry={telemetry?.quiet ?? []} query={query} />
                    <div class="amounts">
                        {kinds.includes('flows') && <KindCard kind="flows" day={day} found={flows} />}
                        {kinds.includes('telemetry') && <KindCard kind="telemetry" day={day} found={telemetry} />}
                    </div>
                </>
            )}
        </Answer>
    );
}

const WORDS = {
    flows: { title: 'Flows', unit: 'flows', of: 'flows' },
    telemetry: { title: 'Readings', unit: 'readings', of: 'telemetry' },
} as const;

function KindCard({ kind, day, found }: { kind: keyof typeof WORDS; day: string; found: KindAmounts | null }) {
    const { title, unit } = WORDS[kind];
    if (found?.amount === null) {
        return (
            <section class="card amount">
                <h2>{title}</h2>
                <Unreadable found={found} />
            </section>
        );
    }
    if (found === null || found.siteCount === 0) {
        return (
            <section class="card amount hatched">
                <h2>{title}</h2>
                <p class="nothing">No figures of this day: nothing came, or it is not in the lake yet.</p>
            </section>
        );
    }
    return (
        <section class="card amount">
            <h2>{title}</h2>
            <p class="large">
                <Figure value={found.amount} unit={found.amount === '1' ? unit.slice(0, -1) : unit} />
            </p>
            <p class="beside">
                {found.pairs !== undefined && (
                    <span>
                        <Figure value={found.pairs} unit={found.pairs === '1' ? 'pair' : 'pairs'} />
                    </span>
                )}
                {found.packets !== undefined && (
                    <span>
                        <Figure value={found.packets} unit="packets" />
                    </span>
                )}
                {found.devices !== undefined && (
                    <span>
                        <Figure value={found.devices} unit={found.devices === '1' ? 'device' : 'devices'} />
                    </span>
                )}
                <span>
                    {found.siteCount} {found.siteCount === 1 ? 'site' : 'sites'}
                </span>
            </p>
            <Unreadable found={found} />
            <details class="values" open={found.siteCount <= 4}>
                <summary>By site</summary>
                <Table
                    caption={`${title} by site`}
                    columns={[
                        { name: 'site', title: 'Site', cell: ({ site }) => <SiteLink kind={kind} site={site} day={day} /> },
                        { name: 'amount', title, isNumber: true, cell: ({ amount }) => <Figure value={amount} /> },
                        {
                            name: 'usual',
                            title: 'Usual on such days',
                            isNumber: true,
                            cell: ({ usual, usualDays }) =>
                                usual === null ? <span class="missing">of {usualDays} days: not known</span> : <Figure value={usual} />,
                        },
                        {
                            name: 'others',
                            title: kind === 'flows' ? 'Pairs' : 'Devices',
                            isNumber: true,
                            cell: ({ pairs, devices }) => <Figure value={pairs ?? devices} />,
                        },
                    ]}
                    rows={found.sites}
                    keyOf={({ site }) => site}
                />
                {found.siteCount > found.sites.length && (
                    <p>
                        The {found.sites.length} largest of {found.siteCount}.
                    </p>
                )}
            </details>
        </section>
    );
}

/** Days that cannot be read, which is not that nothing came on them. */
function Unreadable({ found: { amount, unreadable } }: { found: KindAmounts }) {
    const [first] = unreadable;
    return first === undefined ? null : (
        <p class="fault">
            {amount === null
                ? 'This day cannot be read'
                : `${unreadable.length} of the days before cannot be read, and what is usual is told without`}
            : {first.why}
        </p>
    );
}

function SiteLink({ kind, site, day }: { kind: 'flows' | 'telemetry'; site: string; day?: string }) {
    return kind === 'flows' ? (
        <Link to="/pairs" query={{ site, from: day, to: day }}>
            {site}
        </Link>
    ) : (
        <Link to="/fleet" query={{ site }}>
            {site}
        </Link>
    );
}

interface QuietProps {
    flows: readonly QuietSite[];
    telemetry: readonly QuietSite[];
    query: URLSearchParams;
}

function QuietSites({ flows, telemetry, query }: QuietProps) {
    const all = [
        ...flows.map((one) => ({ ...one, kind: 'flows' as const })),
        ...telemetry.map((one) => ({ ...one, kind: 'telemetry' as const })),
    ];
    if (all.length === 0) {
        return null;
    }
    return (
        <Note kind="warning">
            <h2>{all.length === 1 ? 'A site' : `${all.length} sites`} sent nothing</h2>
            <ul class="quiet-sites">
                {all.map(({ kind, site, sentDays, days, last, strip }) => (
                    <li key={`${kind} ${site}`}>
                        <span class="subject">
                            <SiteLink kind={kind} site={site} />
                        </span>
                        <Strip strip={strip} />
                        <span class="why">
                            no {WORDS[kind].unit} on this day, though some came on {sentDays} of {days} such days before; the last on{' '}
                            <Day day={last} />
                        </span>
                        <a href={withChoices('/', query, { of: WORDS[kind].of, site })}>Calendar of {site}</a>
                    </li>
                ))}
            </ul>
        </Note>
    );
}

/** The days that tell so, one cell each, the day itself last: filled where something came, hatched where nothing did. The sentence beside it says the same. */
function Strip({ strip }: { strip: readonly (string | null)[] }) {
    return (
        <span class="strip" aria-hidden="true">
            {strip.map((amount, at) => (
                <span key={`${at}-${amount}`} class={amount === null ? 'hatched' : 'sent'} />
            ))}
        </span>
    );
}
