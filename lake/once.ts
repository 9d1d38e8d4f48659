/** The work, done when it is first asked for, and then its one result. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
    let result: Promise<T> | undefined;
    return () => {
        result ??= work();
        return result;
    };
}
