/** What the parts of the day have in common: a list of changes, each a link with one sentence why. */
import type { ComponentChildren } from 'preact';
import { withChoices } from '../../parts/link.tsx';
import type { ScreenProps } from '../../screen.ts';
import { addressOf } from '../../shell/router.ts';

export interface PartProps extends ScreenProps {
    day: string;
}

/** Rows that a list shows at first, and those that it shows when it is asked for all. */
export const FEW = 5;
export const ALL = 200;

interface ChangesProps {
    title: string;
    /** How many there are; null where that is not known. */
    total: number | null;
    /** True where more are there than are shown. */
    hasMore: boolean;
    /** Name of the list in the address, and the address that it stands in. */
    name: string;
    query: URLSearchParams;
    /** Said where there are none. */
    none: string;
    children: readonly ComponentChildren[];
}

/** A list of changes of one sort. One without any stands in one line, so that what there is meets the eye. */
export function Changes({ title, total, hasMore, name, query, none, children }: ChangesProps) {
    if (children.length === 0) {
        return (
            <p class="no-change">
                <strong>{title}</strong>: {none}
            </p>
        );
    }
    const isAll = query.get('all') === name;
    return (
        <section class="change" aria-labelledby={`change-${name}`}>
            <h3 id={`change-${name}`}>
                {title} <span class="count">{total ?? (hasMore ? `${children.length} and more` : children.length)}</span>
            </h3>
            <ul>{children}</ul>
            {(hasMore || isAll) && (
                <p class="more">
                    <a href={withChoices('/', query, { all: isAll ? undefined : name })}>
                        {isAll ? `Show the first ${FEW}` : 'Show more'}
                        <span class="hidden"> of: {title}</span>
                    </a>
                    {isAll && hasMore && <span> These are the first {ALL}.</span>}
                </p>
            )}
        </section>
    );
}

/** How many rows a list is asked for. */
export function limitOf(name: string, query: URLSearchParams): string {
    return String(query.get('all') === name ? ALL : FEW);
}

interface ChangeProps {
    link: ComponentChildren;
    site: string;
    children: ComponentChildren;
}

export function Change({ link, site, children }: ChangeProps) {
    return (
        <li>
            <span class="subject">
                {link} <span class="site">{site}</span>
            </span>
            <span class="why">{children}</span>
        </li>
    );
}

interface PairLinkProps {
    site: string;
    src: string;
    dst: string;
    /** The day that the pair is looked at for. */
    day: string;
}

export function PairLink({ site, src, dst, day }: PairLinkProps) {
    return (
        <a class="mono" href={addressOf('/pair', { src, dst, site, day })}>
            {src} → {dst}
        </a>
    );
}

export function DeviceLink({ site, device }: { site: string; device: string }) {
    return (
        <a class="mono" href={addressOf('/device', { id: device, site })}>
            {device}
        </a>
    );
}
