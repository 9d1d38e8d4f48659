/** Which colours a person wants: those of the system, or always the light or dark ones. Kept by the browser. */

export const THEMES = ['system', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

const KEY = 'flowlake.theme';

export function readTheme(): Theme {
    try {
        const kept = localStorage.getItem(KEY);
        return THEMES.find((theme) => theme === kept) ?? 'system';
    } catch {
        // A browser that keeps nothing.
        return 'system';
    }
}

export function keepTheme(theme: Theme): void {
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        // It holds until the page is left.
    }
}

/** Event at the window after the colours have changed: what is drawn on a canvas is drawn again. */
export const THEME_CHANGED = 'flowlake-theme';

export function applyTheme(theme: Theme): void {
    document.documentElement.dataset.theme = theme;
    window.dispatchEvent(new Event(THEME_CHANGED));
}
