/** WebSocket connections: readers come in by token or ticket, and nobody else. */
import { SOCKET_TABLE } from '#lake/cloud/socket-table';
import { Sockets } from '#lake/cloud/sockets';
import { StateCalls } from '#lake/cloud/state-calls';
import { openTicketKey } from '#lake/cloud/ticket-key';
import { StorageError } from '#lake/errors';
import { Tickets } from '#lake/live/api/tickets';
import { connectSocket, isConnect } from '#lambdas/api/connect-socket';
import { MemoryDynamo } from '#test/support/memory-dynamo';

async function open() {
    const dynamo = new MemoryDynamo({ shape: SOCKET_TABLE as any, table: 'sockets' });
    const calls = new StateCalls({ client: dynamo, table: 'sockets' });
    const clock = { ms: 1_767_607_200_000 };
    const now = () => clock.ms;
    const tickets = new Tickets({ key: await openTicketKey(calls), now });
    const callers = {
        of: async (token: string) => {
            if (token === 'unreadable') {
                throw new StorageError('S3 does not answer');
            }
            return token === 'reader'
                ? { ok: true as const, caller: { is: 'reader' as const, name: 'anna' } }
                : token === 'device'
                  ? { ok: true as const, caller: { is: 'device' as const, device: 'th-7' } }
                  : { ok: false as const, why: 'nobody has it' };
        },
    };
    const refused: string[] = [];
    const connect = async ({ token, query = null }: { token?: string; query?: Record<string, string> | null }) => {
        const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        const event = { requestContext: { connectionId: 'c1', eventType: 'CONNECT' }, headers, queryStringParameters: query };
        return connectSocket(event, { callers, tickets, sockets: new Sockets({ calls, now }), say: (why) => refused.push(why) });
    };
    return { dynamo, calls, clock, tickets, connect, refused };
}

test('of readers are let in, by token and by ticket', async () => {
    const { dynamo, connect, tickets } = await open();
    expect(await connect({ token: 'reader' })).toEqual({ statusCode: 200 });
    expect(await connect({ query: { ticket: tickets.issue('bert').ticket } })).toEqual({ statusCode: 200 });
    expect(dynamo.items().find(({ part }) => part?.S === 'sockets')).toMatchObject({
        place: { S: 'c1' },
        is: { S: 'open' },
        reader: { S: 'bert' },
    });
});

test.each([
    ['nobody', {}, 401],
    ['an unknown token', { token: 'nobodys' }, 401],
    ['a device', { token: 'device' }, 403],
    ['a forged ticket', { query: { ticket: 'WzFd.x' } }, 401],
    ['a token in the address', { query: { token: 'reader' } }, 400],
])('of %s are refused, and noted nowhere', async (_, asked, status) => {
    const { dynamo, connect, refused } = await open();
    expect(await connect(asked)).toMatchObject({ statusCode: status });
    expect(refused).toHaveLength(1);
    expect(dynamo.items().filter(({ part }) => part?.S === 'sockets')).toEqual([]);
});

test('of a ticket that is over are refused', async () => {
    const { connect, tickets, clock } = await open();
    const { ticket } = tickets.issue('anna');
    clock.ms += 60_000;
    expect(await connect({ query: { ticket } })).toMatchObject({ statusCode: 401 });
});

test('whose token cannot be judged are an error, and no refusal', async () => {
    const { connect } = await open();
    await expect(connect({ token: 'unreadable' })).rejects.toThrow('S3 does not answer');
});

test('one function takes the tickets of another', async () => {
    const { calls, tickets, connect } = await open();
    const [first, second] = await Promise.all([openTicketKey(calls), openTicketKey(calls)]);
    expect(first).toEqual(second);
    const other = new Tickets({ key: second, now: () => 1_767_607_200_000 });
    expect(await connect({ query: { ticket: other.issue('anna').ticket } })).toEqual({ statusCode: 200 });
    expect(tickets.readerOf(other.issue('anna').ticket)).toBe('anna');
});

test('are told from requests', () => {
    expect(isConnect({ requestContext: { eventType: 'CONNECT', connectionId: 'c' } })).toBe(true);
    expect(isConnect({ requestContext: { http: { method: 'GET' } }, rawPath: '/v1/fleet' })).toBe(false);
});
