/** Flows on their way from the scanner to the pair table, some hundred at once; `PairTable.addFlows` has the reason. */

/** Small enough that a batch and the rows it meets stay in the processor's nearest cache. */
export const BATCH_FLOWS = 256;

/** One flow per place, each of its fields in an array of its own. */
export class FlowBatch {
    /** Flows that are there; the fields of one more may be written at this place before it counts. */
    count = 0;
    readonly sources = new Int32Array(BATCH_FLOWS);
    readonly destinations = new Int32Array(BATCH_FLOWS);
    /** Groups of the flows, as `PairTable.rowOf` takes them. */
    readonly groups = new Int32Array(BATCH_FLOWS);
    /** Durations below `MAX_FAST_VALUE`, or `UNTIMED`; the packets are below it too. */
    readonly durations = new Uint32Array(BATCH_FLOWS);
    readonly packets = new Uint32Array(BATCH_FLOWS);
    /**
     * Room for the table: the rows of the flows, and what it read for nothing, without which the reading would count as idle and be left
     * out.
     */
    readonly rows = new Int32Array(BATCH_FLOWS);
    readAhead = 0;
}
