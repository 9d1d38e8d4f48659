/** Asks again when something has happened: by the events of the API where it answers beside the pages, else every now and then. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAbout } from '../shell/about-context.ts';

/** What comes close together is asked for once. */
const LEAST_MS = 2000;

/** Without events, or while nothing happens: that a device is late is no event. */
const POLL_MS = 20_000;

export type Following = 'live' | 'polled' | 'off';

/** Calls `again` after events of these kinds. @returns how it is followed: nothing happens in a lake without latest state */
export function useEvents(kinds: readonly string[], again: () => void, { isOn = true }: { isOn?: boolean } = {}): Following {
    const { hasApi, hasLive } = useAbout();
    const isFollowed = isOn && hasLive;
    const latest = useRef(again);
    latest.current = again;
    const [isConnected, setConnected] = useState(false);
    const wanted = kinds.join(',');

    useEffect(() => {
        if (!isFollowed) {
            return;
        }
        let timer: ReturnType<typeof setTimeout> | undefined;
        let askedMs = Date.now();
        const ask = () => {
            clearTimeout(timer);
            timer = setTimeout(ask, POLL_MS);
            askedMs = Date.now();
            // A page that nobody looks at waits.
            if (document.visibilityState === 'visible') {
                latest.current();
            }
        };
        const soon = () => {
            clearTimeout(timer);
            timer = setTimeout(ask, Math.max(0, askedMs + LEAST_MS - Date.now()));
        };
        timer = setTimeout(ask, POLL_MS);
        const events = hasApi ? new EventSource(`/v1/live?kind=${encodeURIComponent(wanted)}`) : undefined;
        if (events) {
            events.onopen = () => setConnected(true);
            events.onerror = () => setConnected(false);
            for (const kind of [...wanted.split(','), 'reset']) {
                events.addEventListener(kind, soon);
            }
        }
        return () => {
            clearTimeout(timer);
            events?.close();
            setConnected(false);
        };
    }, [isFollowed, hasApi, wanted]);

    return !isFollowed ? 'off' : isConnected ? 'live' : 'polled';
}
