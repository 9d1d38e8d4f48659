/** Why a row can be rejected. docs/reading.md says when; the first check that fails names the reject. */

export const REJECT_REASONS = [
    'unclosed_quote',
    'ragged_row',
    'extra_cells',
    'not_json',
    'repeated_key',
    'missing_field',
    'not_an_ip_address',
    'date_unreadable',
    'date_against_order',
    'date_implausible',
    'not_a_number',
    'nan',
    'infinity',
    'negative',
    'not_whole',
    'too_large',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

export interface Reject {
    /** Line of the file at which the row begins, from 1. */
    lineNumber: number;
    reason: RejectReason;
    /** The row as read, without its line end; bytes that are not UTF-8 replaced, cut at `MAX_REJECT_LINE_LENGTH` characters. */
    line: string;
}

/** A reject's line is for a person to look at; the raw file keeps the rest. */
export const MAX_REJECT_LINE_LENGTH = 4096;
