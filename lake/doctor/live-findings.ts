/** Judges whether devices can report to a lake that is served, or was. */
import { endingSoon, NEAR_END_DAYS } from '#lake/credentials';
import { type Finding, judge, ok, orOk, problem, warning } from './finding.ts';
import type { DeviceCertificate, LiveFacts, Secret } from './live-facts.ts';
import { judgeSpace } from './space-findings.ts';

const DAY_MS = 86_400_000;

/** Devices that are named. */
const MOST_NAMED = 3;

export function judgeLive(facts: LiveFacts, { now }: { now: Date }): Finding[] {
    const { isServed, secrets, serverEnds, certificates, freeBytes, waiting } = facts;
    return [
        ...judge('served', isServed, {
            missing: () => ok('served', 'nobody serves it now'),
            found: (served) => [ok('served', served ? 'a process serves it' : 'nobody serves it now')],
        }),
        ...judge('secrets', secrets, {
            missing: () => ok('secrets', 'there are none yet'),
            found: (found) =>
                orOk('secrets', found.filter(({ isPrivate }) => !isPrivate).map(judgeSecret), 'their owner alone can read them'),
        }),
        ...judge('server certificate', serverEnds, {
            missing: () => ok('server certificate', 'the first serve makes it'),
            found: (end) => [judgeServerCertificate(end, { now, isServed: isServed.kind === 'found' && isServed.value })],
        }),
        ...judge('device certificates', certificates, {
            missing: () => ok('device certificates', 'there are none'),
            found: (found) => judgeCertificates(found, now),
        }),
        ok('MQTT 5', 'a client of MQTT 5 is answered with CONNACK 0x84: use MQTT 3.1.1'),
        ...judge('space for the inbox', freeBytes, {
            missing: () => problem('space for the inbox', 'the folder is gone', 'run it again'),
            found: (bytes) => [judgeSpace('space for the inbox', bytes, 'free some space: on a full disk messages of devices are refused')],
        }),
        ...(waiting
            ? judge('inbox', waiting, {
                  missing: () => ok('inbox', 'it is empty'),
                  found: (messages) => [judgeInbox(messages)],
              })
            : []),
    ];
}

function judgeSecret({ path, isFolder }: Secret): Finding {
    return problem(
        'secrets',
        `others than its owner can ${isFolder ? 'look into' : 'read'} ${path}`,
        `chmod ${isFolder ? 700 : 600} ${path}; if somebody may have read a key, move the authority away and give every device a new certificate`,
    );
}

function judgeServerCertificate(end: Date, { now, isServed }: { now: Date; isServed: boolean }): Finding {
    const check = 'server certificate';
    if (!isSoon(end, now)) {
        return ok(check, `it holds until ${dayOf(end)}`);
    }
    const found = `it ${end <= now ? 'ended' : 'ends'} on ${dayOf(end)}`;
    return isServed
        ? warning(check, found, 'serve renews it by itself and did not: its log says why; or restart it')
        : ok(check, `${found}: the next serve makes another`);
}

/** Judges the ends of certificates that are not revoked. */
export function judgeCertificates(certificates: readonly DeviceCertificate[], now: Date): readonly Finding[] {
    const check = 'device certificates';
    const ending = endingSoon(certificates, { now });
    const todo = (device: string): string => `flowlake device add ${device} --out DIR, and copy the folder to the device`;
    const about = (some: readonly DeviceCertificate[], what: string): Finding[] => {
        const names = [...new Set(some.map(({ device }) => device))].sort();
        const [first] = names;
        const rest = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
        return first === undefined ? [] : [warning(check, `of ${names.slice(0, MOST_NAMED).join(', ')}${rest}: ${what}`, todo(first))];
    };
    const [ended, soon] = [ending.filter(({ notAfter }) => notAfter <= now), ending.filter(({ notAfter }) => notAfter > now)];
    const devices = new Set(certificates.map(({ device }) => device)).size;
    return orOk(
        check,
        [...about(ended, 'the last one has ended'), ...about(soon, `the last one ends within ${NEAR_END_DAYS} days`)],
        certificates.length === 0
            ? 'there are none'
            : `${devices === 1 ? '1 device has one' : `${devices} devices have one`} that holds for longer than ${NEAR_END_DAYS} days`,
    );
}

function judgeInbox(messages: number): Finding {
    return messages === 0
        ? ok('inbox', 'it is empty')
        : warning(
              'inbox',
              `${messages} ${messages === 1 ? 'message' : 'messages'} of devices in it, which may be in no table yet, and nobody serves it`,
              'flowlake serve brings them into the tables; Ctrl-C ends it',
          );
}

function isSoon(end: Date, now: Date): boolean {
    return end.getTime() < now.getTime() + NEAR_END_DAYS * DAY_MS;
}

function dayOf(at: Date): string {
    return at.toISOString().slice(0, 'yyyy-mm-dd'.length);
}
