/** Loaded before the program (`node --import`): writes the most memory it had, in bytes and with all its threads, into FLOWLAKE_TEST_PEAK. */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
    // getrusage(2): kilobytes.
    process.on('exit', () => writeFileSync(process.env.FLOWLAKE_TEST_PEAK, String(process.resourceUsage().maxRSS * 1024)));
}
