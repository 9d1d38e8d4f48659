/** What the server is, known to every screen. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { About } from '../ask-server.ts';

export const AboutContext = createContext<About>({
    lake: '',
    kind: 'directory',
    version: '',
    isPaid: false,
    hasLive: false,
    hasApi: false,
    nowMs: 0,
});

export function useAbout(): About {
    return useContext(AboutContext);
}
