/** What a program that writes flows is to the sample: the text of a file, row by row. */

/** A flow as it happened. */
export interface PlainFlow {
    src: string;
    dst: string;
    srcPort: number;
    dstPort: number;
    /** Number of the protocol: 6 for TCP, 17 for UDP. */
    protocol: number;
    /** Second since 1970 began at which it began, UTC. */
    startSeconds: number;
    durationUs: number;
    /** Packets of the source and of the destination. */
    forward: number;
    backward: number;
    /** Bytes of both, with the headers of the packets. */
    forwardBytes: number;
    backwardBytes: number;
}

export interface Tool {
    /** Name on the command line. */
    name: string;
    /** End of its files' names, behind the day. */
    fileEnd: string;
    /** Begins the file of a day. */
    open(day: string): ToolFile;
}

/** One file, from its beginning to its end. */
export interface ToolFile {
    /** Text in front of the first flow. */
    head: string;
    /** The text of the next flow, line ends included. */
    rowOf(flow: PlainFlow): string;
    /** Text behind the last flow. */
    end(): string;
}

/** The time a while after the flow began, `yyyy-MM-dd` and `HH:mm:ss`, UTC. */
export function clockOf(seconds: number): { date: string; clock: string } {
    const text = new Date(seconds * 1000).toISOString();
    return { date: text.slice(0, 10), clock: text.slice(11, 19) };
}

/** Microseconds as seconds with six decimal places, digit by digit. */
export function secondsOf(microseconds: number): string {
    return `${Math.floor(microseconds / 1e6)}.${String(microseconds % 1e6).padStart(6, '0')}`;
}
