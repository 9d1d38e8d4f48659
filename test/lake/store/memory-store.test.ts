/** The store that tests of use cases rest on keeps the promises of the real ones. */

import { memoryStore } from '#test/support/memory-store';
import { describeObjectStore } from '#test/support/object-store-contract';

describeObjectStore('memory store', { openStore: () => memoryStore(), mayNest: true });
