/** The made-up kinds on the local AWS and on Spark. `npm run test:kinds` makes the tree that has them, and runs this in it. */
import base from '../aws/jest.config.js';

export default {
    ...base,
    testMatch: [
        '<rootDir>/test/kinds/deployed-*.test.ts',
        // The local AWS refuses nobody: which rights roles have for the kinds' prefixes, the template tells.
        '<rootDir>/test/cdk/security-doc.test.ts',
        '<rootDir>/test/cdk/catalog.test.ts',
    ],
};
