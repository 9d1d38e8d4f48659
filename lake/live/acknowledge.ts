/** What holds of an acknowledgement wherever it is noted. */
import { UsageError } from '#lake/errors';

/** @throws UsageError without a name */
export function checkSigned(by: string): void {
    if (by.trim() === '') {
        throw new UsageError('An acknowledgement needs a name: say who knows of the alert');
    }
}
