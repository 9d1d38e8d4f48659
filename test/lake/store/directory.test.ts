import { openDirectoryStore } from '#lake/store/directory';
import { describeObjectStore } from '#test/support/object-store-contract';
import { makeFolder } from '#test/support/temporary';

describeObjectStore('directory', { openStore: async () => openDirectoryStore(await makeFolder()), mayNest: false });
