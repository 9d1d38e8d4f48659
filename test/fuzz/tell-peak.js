/** Loaded in front of the program: writes the most memory that the process had (KiB) and its work (µs) into the file PEAK_FILE. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => {
    if (process.env.PEAK_FILE) {
        const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
        writeFileSync(process.env.PEAK_FILE, `${maxRSS} ${userCPUTime + systemCPUTime}`);
    }
});
