/** A way to another view of the application: a plain link, which can be copied, and opened in a new tab. */
import type { ComponentChildren } from 'preact';
import type { Query } from '../screen.ts';
import { addressOf } from '../shell/router.ts';

export function Link({ to, query, children }: { to: string; query?: Query; children: ComponentChildren }) {
    return <a href={addressOf(to, query)}>{children}</a>;
}

/** The address of this view with some choices changed; undefined takes one out. */
export function withChoices(path: string, query: URLSearchParams, changes: Query): string {
    return addressOf(path, { ...Object.fromEntries(query), ...changes });
}
