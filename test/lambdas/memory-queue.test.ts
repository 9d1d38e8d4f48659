/** The queue that other tests stand on keeps the promises of the port. */

import { memoryQueue } from '#test/support/memory-queue';
import { describeMessageQueue } from '#test/support/message-queue-contract';

describeMessageQueue('memory queue', { openQueue: async (wanted) => memoryQueue(wanted) });
