/** What hands the chains on, while it is ended. */
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { startForwarding } from '#lake/serve/forwarding';
import { memoryStore } from '#test/support/memory-store';

test('a run that is broken off by the end is not tried again', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const said: string[] = [];
    const before = timers();
    let begin = () => {};
    const isBegun = new Promise<void>((resolve) => {
        begin = resolve;
    });
    const forwarding = startForwarding({
        to: {
            name: 's3://other',
            async forward({ signal }) {
                begin();
                await once(signal, 'abort');
                throw signal.reason;
            },
        },
        from: memoryStore(),
        shard: { stream: 'own', shard: '0' },
        say: (line) => said.push(line),
    });
    await isBegun;
    await forwarding.stop();
    expect(timers()).toBe(before);
    expect(said).toEqual([]);
});
