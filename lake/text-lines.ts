/** Cuts a text into its lines as JSON lines are cut: at line feeds alone. `node:readline` also cuts at U+2028 and U+2029, which a JSON text may hold as they are. */

/** The lines of a text that comes in pieces, without their line ends. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of pieces) {
        const lines = `${rest}${decoder.decode(piece, { stream: true })}`.split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
    }
    rest += decoder.decode();
    if (rest !== '') {
        yield rest;
    }
}
