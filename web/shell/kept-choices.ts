/** Choices that a person has made for this browser: how it looks and behaves, nothing of the lake. */

/** The choice; undefined where none was made, or the browser keeps none. */
export function readChoice(name: string): string | undefined {
    try {
        return localStorage.getItem(name) ?? undefined;
    } catch {
        return undefined;
    }
}

/** Keeps the choice, where the browser does: else it holds until the page is left. */
export function keepChoice(name: string, value: string): void {
    try {
        localStorage.setItem(name, value);
    } catch {
        // A browser that keeps nothing.
    }
}
