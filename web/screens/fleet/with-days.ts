/** An address's choices with the days that are shown, so that filters show them too. */
export function withDays(query: URLSearchParams, { from, to }: { from: string; to: string }): URLSearchParams {
    return new URLSearchParams({ ...Object.fromEntries(query), from, to });
}
