/** Every engine gives the same answer: `npm run test:engines`. One deployment in a local AWS, of which Trino reads the catalog. */
import base from '../aws/jest.config.js';

export default {
    ...base,
    testMatch: ['<rootDir>/test/engines/**/*.test.ts'],
    testTimeout: 600_000,
};
