/** The head of every page: which lake this is, and the ways to all screens. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { SCREENS } from '../screens.ts';
import { useAbout } from './about-context.ts';
import { applyTheme, keepTheme, readTheme, THEMES, type Theme } from './theme-choice.ts';

export function Navigation({ path, onHelp }: { path: string; onHelp: () => void }) {
    const { lake } = useAbout();
    const list = useRef<HTMLUListElement>(null);
    // On a phone the list is wider than the page: the screen that is shown is not to be out of sight.
    useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [path]);
    return (
        <header class="head">
            <a class="brand" href="/">
                <img src={iconAddress()} alt="" width="28" height="28" />
                <span>flowlake</span>
            </a>
            <span class="lake" title={lake}>
                {shortNameOf(lake)}
            </span>
            <nav aria-label="Screens">
                <ul ref={list}>
                    {SCREENS.filter(({ key }) => key !== undefined).map((screen) => (
                        <li key={screen.path}>
                            <a
                                href={screen.path}
                                onPointerEnter={() => void screen.load().catch(() => undefined)}
                                aria-current={screen.path === path ? 'page' : undefined}
                            >
                                {screen.title}
                            </a>
                        </li>
                    ))}
                </ul>
            </nav>
            <ThemeChoice />
            <button type="button" class="quiet" onClick={onHelp} aria-haspopup="dialog">
                Keys<kbd>?</kbd>
            </button>
        </header>
    );
}

/** The last part of a path; the name as it is where it is no path. */
function shortNameOf(lake: string): string {
    return lake.startsWith('s3://') ? lake : (lake.split(/[\\/]/).findLast((part) => part !== '' && part !== '.') ?? lake);
}

function iconAddress(): string {
    return '/web/icon.svg';
}

const THEME_TITLES: Readonly<Record<Theme, string>> = { system: 'Auto', light: 'Light', dark: 'Dark' };

function ThemeChoice() {
    const [theme, setTheme] = useState(readTheme);
    const choose = (chosen: Theme) => {
        keepTheme(chosen);
        applyTheme(chosen);
        setTheme(chosen);
    };
    return (
        <label class="theme">
            <span class="hidden">Colours</span>
            <select value={theme} onChange={({ currentTarget }) => choose(THEMES.find((one) => one === currentTarget.value) ?? 'system')}>
                {THEMES.map((one) => (
                    <option key={one} value={one}>
                        {THEME_TITLES[one]}
                    </option>
                ))}
            </select>
        </label>
    );
}
