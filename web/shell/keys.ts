/** Keys that work on every screen: `g` and a letter goes to a screen, `/` to the first search, `?` opens the list of them. */
import { useEffect } from 'preact/hooks';
import { SCREENS } from '../screens.ts';
import { keepChoice, readChoice } from './kept-choices.ts';
import { go } from './router.ts';

/** The letter has to come so soon after `g`. */
const TOGETHER_MS = 1500;

/** True unless somebody has switched the keys off: who speaks to the machine writes single letters by chance. */
export function areKeysOn(): boolean {
    return readChoice(KEYS_CHOICE) !== 'off';
}

export function switchKeys(areOn: boolean): void {
    keepChoice(KEYS_CHOICE, areOn ? 'on' : 'off');
}

const KEYS_CHOICE = 'flowlake.keys';

export function useKeys({ help }: { help: () => void }): void {
    useEffect(() => {
        let goneAt = Number.NEGATIVE_INFINITY;
        const pressed = (event: KeyboardEvent) => {
            if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !areKeysOn()) {
                return;
            }
            const isSecond = event.timeStamp - goneAt < TOGETHER_MS;
            goneAt = Number.NEGATIVE_INFINITY;
            const screen = isSecond ? SCREENS.find(({ key }) => key === event.key) : undefined;
            if (screen) {
                go(screen.path);
            } else if (event.key === 'g') {
                goneAt = event.timeStamp;
                return;
            } else if (event.key === '?') {
                help();
            } else if (event.key === '/') {
                const search = document.querySelector<HTMLElement>('main input[type=search]');
                if (!search) {
                    return;
                }
                search.focus();
            } else {
                return;
            }
            event.preventDefault();
        };
        addEventListener('keydown', pressed);
        return () => removeEventListener('keydown', pressed);
    }, []);
}

function isTyping(target: EventTarget | null): boolean {
    return (
        target instanceof HTMLElement &&
        (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('dialog') !== null)
    );
}
