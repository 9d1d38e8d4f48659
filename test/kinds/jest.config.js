/** The made-up kinds on the local AWS and on Spark. `npm run test:kinds` makes the tree that has them, and runs this in it. */
import base from '../aws/jest.config.js';

export default { ...base, testMatch: ['<rootDir>/test/kinds/deployed-*.test.ts'] };
