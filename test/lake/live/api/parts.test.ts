/** Parts of the API by themselves: cursors, bounds, tickets, numbers. */
import fc from 'fast-check';
import { chooseType } from '#lake/live/api/answer';
import { decodeCursor, encodeCursor } from '#lake/live/api/cursor';
import { exactNumber, shortDecimal } from '#lake/live/api/exact-json';
import { keptHeaders } from '#lake/live/api/kept-headers';
import { RateLimiter } from '#lake/live/api/rate-limit';
import { Tickets } from '#lake/live/api/tickets';

describe('a cursor', () => {
    test('comes back as it was given', () => {
        fc.assert(
            fc.property(fc.nat(), fc.string(), (ms, id) => {
                expect(decodeCursor('alerts', ['number', 'string'], encodeCursor('alerts', [ms, id]))).toEqual([ms, id]);
            }),
        );
    });

    test.each([
        ['that is none', '####'],
        ['of another list', encodeCursor('devices', [1, 'a'])],
        ['with a part too few', encodeCursor('alerts', [1])],
        ['with a part too many', encodeCursor('alerts', [1, 'a', 'b'])],
        ['with parts of another type', encodeCursor('alerts', ['1', 'a'])],
        ['with a time that no calendar has', encodeCursor('alerts', [1e18, 'a'])],
        ['with a time that is no whole number', encodeCursor('alerts', [1.5, 'a'])],
        ['written another way', `${encodeCursor('alerts', [1, 'a'])}=`],
        ['of an object', Buffer.from('{"length":3}').toString('base64url')],
        ['without end', Buffer.from('['.repeat(100_000)).toString('base64url')],
    ])('%s is refused', (_, cursor) => {
        expect(() => decodeCursor('alerts', ['number', 'string'], cursor)).toThrow(/^after: It is no cursor of alerts/);
    });
});

describe('the bound on messages', () => {
    const open = ({ maxBuckets = 100 } = {}) => {
        const clock = { ms: 0 };
        return { clock, limiter: new RateLimiter({ perSecond: 10, burst: 20 }, { now: () => clock.ms, maxBuckets }) };
    };

    test('lets a burst through, and then as many as the rate is', () => {
        const { clock, limiter } = open();
        limiter.take('a', 20);
        expect(limiter.waitMs('a')).toBe(100);
        expect(limiter.waitMs('b')).toBe(0);
        clock.ms = 100;
        expect(limiter.waitMs('a')).toBe(0);
    });

    test('lets a large batch through, which the time after it pays for', () => {
        const { clock, limiter } = open();
        limiter.take('a', 120);
        expect(limiter.waitMs('a')).toBe(10_100);
        clock.ms = 10_100;
        expect(limiter.waitMs('a')).toBe(0);
    });

    test('gives nothing for a clock that jumps back, and no more than a burst for a long silence', () => {
        const { clock, limiter } = open();
        clock.ms = 1e9;
        limiter.take('a', 20);
        clock.ms = 0;
        expect(limiter.waitMs('a')).toBe(100);
        clock.ms = 1e12;
        limiter.take('a', 20);
        expect(limiter.waitMs('a')).toBe(100);
    });

    test('keeps a bounded number of buckets: the least recently used goes', () => {
        const { limiter } = open({ maxBuckets: 2 });
        limiter.take('a', 30);
        limiter.take('b', 30);
        expect(limiter.waitMs('a')).toBeGreaterThan(0);
        limiter.take('c', 30);
        expect(limiter.waitMs('a')).toBeGreaterThan(0);
        expect(limiter.waitMs('b')).toBe(0);
    });
});

describe('a ticket', () => {
    const clock = { ms: 1_767_607_200_000 };
    const tickets = new Tickets({ key: Buffer.alloc(32, 1), now: () => clock.ms });

    test('tells its reader for a minute', () => {
        const { ticket, expiresMs } = tickets.issue('anna');
        expect(tickets.readerOf(ticket)).toBe('anna');
        const after = new Tickets({ key: Buffer.alloc(32, 1), now: () => expiresMs });
        expect(after.readerOf(ticket)).toBeUndefined();
    });

    test('is not one that was made with another key, changed, or made up', () => {
        const { ticket } = tickets.issue('anna');
        const [claims = '', signature = ''] = ticket.split('.');
        const other = new Tickets({ key: Buffer.alloc(32, 2), now: () => clock.ms }).issue('anna').ticket;
        const forged = Buffer.from(JSON.stringify([9e15, 'anna'])).toString('base64url');
        for (const wrong of [
            other,
            `${forged}.${signature}`,
            claims,
            `${claims}.`,
            `${ticket}.`,
            '',
            '.',
            '..',
            `${claims}.${signature.slice(1)}`,
        ]) {
            expect(tickets.readerOf(wrong)).toBeUndefined();
        }
    });
});

describe('a number', () => {
    test('is written with all digits of its decimal', () => {
        expect(JSON.stringify({ a: exactNumber('9999999999999999999.123456789'), b: exactNumber('-0.10'), c: exactNumber(null) })).toBe(
            '{"a":9999999999999999999.123456789,"b":-0.10,"c":null}',
        );
    });

    test.each(['', '1e5', '01', '.5', '1.', 'NaN', '1,2', '"'])('is not %j', (text) => {
        expect(() => exactNumber(text)).toThrow('no decimal');
    });

    test.each([
        ['21.300000000', '21.3'],
        ['21.000000000', '21'],
        ['-0.500', '-0.5'],
        ['100', '100'],
        [null, null],
    ])('%s is %s in short', (text, short) => {
        expect(shortDecimal(text)).toBe(short);
    });
});

test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/csv', 'text/csv'],
    ['text/*, application/json;q=0.5', 'text/csv'],
    ['text/csv;q=0.4, application/json;q=0.5', 'application/json'],
    ['*/*;q=0.1, application/json;q=0', 'text/csv'],
    ['TEXT/CSV ; q=1', 'text/csv'],
    ['text/html', undefined],
    ['', undefined],
    ['application/json;q=0', undefined],
    ['application/json;q=x', undefined],
])('Accept: %s gives %s', (accept, type) => {
    const chosen = () => chooseType(accept, ['application/json', 'text/csv']);
    if (type === undefined) {
        expect(chosen).toThrow('Header Accept allows none of what can be given: application/json, text/csv');
    } else {
        expect(chosen()).toBe(type);
    }
});

test('headers of devices go along with a message; those of proxies, and secrets, do not', () => {
    const headers = new Headers({
        'CE-Subject': 'th-7',
        'X-Device': 'th-7',
        'X-Forwarded-For': '10.0.0.1',
        'X-Api-Key': 'secret',
        'X-Auth': 'secret',
        'X-Request-Id': '1',
        authorization: 'Bearer secret',
        cookie: 'secret',
        'user-agent': 'curl',
        'content-type': 'application/senml+cbor',
    });
    expect(keptHeaders(headers)).toEqual({ 'ce-subject': 'th-7', 'x-device': 'th-7', 'content-type': 'application/senml+cbor' });
    expect(keptHeaders(new Headers({ 'content-type': 'application/json; charset=utf-8' }))).toBeUndefined();
    expect(() => keptHeaders(new Headers({ 'x-a': 'a'.repeat(2048) }))).toThrow('2,048 bytes at most');
});
