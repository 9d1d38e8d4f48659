/** Which colours a person wants: those of the system, or always the light or dark ones. Kept by the browser. */

import { keepChoice, readChoice } from './kept-choices.ts';

export const THEMES = ['system', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

const KEY = 'flowlake.theme';

export function readTheme(): Theme {
    const kept = readChoice(KEY);
    return THEMES.find((theme) => theme === kept) ?? 'system';
}

export function keepTheme(theme: Theme): void {
    keepChoice(KEY, theme);
}

/** Event at the window after somebody has chosen other colours. */
const THEME_CHANGED = 'flowlake-theme';

export function applyTheme(theme: Theme): void {
    document.documentElement.dataset.theme = theme;
    dispatchEvent(new Event(THEME_CHANGED));
}

/** Calls `draw` after the colours have changed, chosen here or by the system: what is drawn on a canvas is drawn again. @returns what ends that */
export function onNewColors(draw: () => void): () => void {
    const system = matchMedia('(prefers-color-scheme: dark)');
    addEventListener(THEME_CHANGED, draw);
    system.addEventListener('change', draw);
    return () => {
        removeEventListener(THEME_CHANGED, draw);
        system.removeEventListener('change', draw);
    };
}
