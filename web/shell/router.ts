/** The address of the page, and ways to change it. Links are plain: a click on one within the application loads nothing. */
import { useEffect, useState } from 'preact/hooks';
import type { Query } from '../screen.ts';

export interface Location {
    path: string;
    query: URLSearchParams;
}

const MOVED = 'flowlake-moved';

function here(): Location {
    return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** An address of the application, for `href`. Parameters that are undefined or empty are left out. */
export function addressOf(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
        if (value !== undefined && value !== '') {
            search.set(name, value);
        }
    }
    const text = search.toString();
    return text === '' ? path : `${path}?${text}`;
}

/** Goes there. */
export function go(path: string, query: Query = {}, { replace = false }: { replace?: boolean } = {}): void {
    visit(addressOf(path, query), replace);
}

let moves = 0;

/** True once somebody has gone from one address to another: before that the page was just opened. */
export function hasMoved(): boolean {
    return moves > 0;
}

function visit(address: string, replace: boolean): void {
    if (address === `${location.pathname}${location.search}`) {
        return;
    }
    const before = location.pathname;
    // With its origin: a path that begins with two slashes would name another host.
    history[replace ? 'replaceState' : 'pushState'](null, '', `${location.origin}${address}`);
    if (location.pathname !== before) {
        scrollTo(0, 0);
    }
    dispatchEvent(new Event(MOVED));
}

/** The address now; the component is drawn again when it changes. */
export function useLocation(): Location {
    const [now, setNow] = useState(here);
    useEffect(() => {
        const moved = () => {
            moves += 1;
            setNow(here());
        };
        addEventListener('popstate', moved);
        addEventListener(MOVED, moved);
        document.addEventListener('click', takeClick);
        return () => {
            removeEventListener('popstate', moved);
            removeEventListener(MOVED, moved);
            document.removeEventListener('click', takeClick);
        };
    }, []);
    return now;
}

/** Takes clicks on links to other screens; what opens a new tab or loads a file is left to the browser. */
function takeClick(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download')) {
        return;
    }
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname.startsWith('/pages/') || (url.hash !== '' && url.pathname === location.pathname)) {
        return;
    }
    event.preventDefault();
    visit(`${url.pathname}${url.search}`, false);
}
