/** A message: one payload that a device sent, and what is known of its way. Files of history, chain objects and the live inbox all give this. */

export interface Message {
    /** The bytes as they were sent: a line or an element of a file of history, a payload of MQTT, a body of HTTP. */
    payload: Uint8Array;
    /** Arrival, UTC epoch milliseconds; undefined in history whose file does not say. */
    arrivedMs: number | undefined;
    /** MQTT topic or HTTP route. */
    topic?: string | undefined;
    /** Device by its certificate or token, which wins over whatever the payload says. */
    device?: string | undefined;
    /** HTTP or MQTT 5 headers, names in lower case. */
    headers?: Readonly<Record<string, string>> | undefined;
    /** Partition key of Kinesis. */
    key?: string | undefined;
    /** True where a broker sent it again to a new subscription: state of before, and no new reading. */
    isRetained?: boolean | undefined;
}
