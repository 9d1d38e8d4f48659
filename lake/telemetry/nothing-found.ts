/** What the ledger says of a source of telemetry where nothing was read. */
import type { Found } from '#lake/kind';

export const nothingFound: Found = {
    message_form: null,
    profiles: null,
    readings: 0,
    devices: 0,
    metrics_rejected: 0,
    clock_arrival: 0,
    unknown_fields: null,
    rejected: null,
};
