/** What a screen is to the frame around it. web/screens.ts lists all screens. */
import type { ComponentType } from 'preact';

/** What each screen gets. */
export interface ScreenProps {
    /** What the address says behind `?`: every choice of a screen stands there, so that the address opens the same view again. */
    query: URLSearchParams;
    /** Goes to another address of the application. `replace` leaves no step behind to go back to: for what is typed letter by letter. */
    go(path: string, query?: Query, options?: { replace?: boolean }): void;
}

/** Parameters of an address; those that are undefined or empty are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

export interface Screen {
    path: string;
    title: string;
    /** Letter behind `g` that goes there; none for screens that need parameters, which are not in the navigation. */
    key?: string;
    load(): Promise<{ default: ComponentType<ScreenProps> }>;
}
