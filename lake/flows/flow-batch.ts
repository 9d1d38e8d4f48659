/** Flows on their way from the scanner to the pair table, some hundred at once: why is told at `PairTable.addFlows`. */

/** Small enough that a batch and the rows it meets stay in the processor's nearest cache. */
export const BATCH_FLOWS = 256;

/** One flow per place, each of its fields in an array of its own. */
export class FlowBatch {
    /** Flows that are there; the fields of one more may be written at this place before it counts. */
    count = 0;
    readonly sources = new Int32Array(BATCH_FLOWS);
    readonly destinations = new Int32Array(BATCH_FLOWS);
    /** As for `PairTable.rowOf`. */
    readonly groups = new Int32Array(BATCH_FLOWS);
    /** Below `MAX_FAST_VALUE`, as the packets. */
    readonly durations = new Uint32Array(BATCH_FLOWS);
    readonly packets = new Uint32Array(BATCH_FLOWS);
    /** For the table: the flows' rows, and what it read for nothing, without which the reading would count as idle and be left out. */
    readonly rows = new Int32Array(BATCH_FLOWS);
    readAhead = 0;
}
