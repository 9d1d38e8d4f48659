/** Real processes, full disks and load: `npm run test:hard`. Each has the machine for itself, so they run one after the other. */
import base from '../../jest.config.js';

export default {
    ...base,
    rootDir: '../..',
    testMatch: ['<rootDir>/test/hard/**/*.test.ts'],
    testPathIgnorePatterns: [],
    testTimeout: 900_000,
    maxWorkers: 1,
};
