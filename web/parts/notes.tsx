/** Words in the place of data, or beside it. */
import type { ComponentChildren } from 'preact';

/** Said where there is nothing to show, and what would make something appear. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
    return (
        <section class="notice empty">
            <p class="empty-title">{title}</p>
            {children}
        </section>
    );
}

/** A remark that must not be overlooked; `warning` where somebody has to do something. */
export function Note({ kind = 'info', children }: { kind?: 'info' | 'warning'; children: ComponentChildren }) {
    return (
        <div class={`note ${kind}`}>
            <span class="note-mark" aria-hidden="true">
                {kind === 'warning' ? '!' : 'i'}
            </span>
            <div>{children}</div>
        </div>
    );
}

/** The title of a screen: each has one. */
export function Title({ children, more }: { children: ComponentChildren; more?: ComponentChildren }) {
    return (
        <div class="title">
            <h1>{children}</h1>
            {more !== undefined && <div class="title-more">{more}</div>}
        </div>
    );
}
