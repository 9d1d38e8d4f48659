/** Loaded in front of the program: writes the most memory that the process had, in KiB, into the file that PEAK_FILE names. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => {
    if (process.env.PEAK_FILE) {
        writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS));
    }
});
