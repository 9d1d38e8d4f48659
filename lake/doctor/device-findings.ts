/** Judges whether devices can send to a deployed lake, and whether only those can that should. */
import { type Difference, differencesOf } from '#lake/cloud/iot-differences';
import { holdingCertificates } from '#lake/credentials';
import type { DeviceFacts } from './device-facts.ts';
import { type Finding, judge, ok, orOk, problem, warning } from './finding.ts';
import { judgeCertificates } from './live-findings.ts';

/** Devices that are told of one by one. */
const MOST_TOLD = 10;

export function judgeDevices(facts: DeviceFacts, { now, redeploy }: { now: Date; redeploy: string }): Finding[] {
    const { policyName, policy, seen } = facts;
    return [
        ...judge('device policy', policy, {
            missing: () => problem('device policy', `IoT Core has no policy ${policyName}: no device can connect`, redeploy),
            found: () => [ok('device policy', policyName)],
        }),
        ...judge('device certificates', seen, {
            missing: () => ok('device certificates', 'there are none'),
            found: ({ credentials }) => judgeCertificates(holdingCertificates(credentials), now),
        }),
        ...judge('devices at IoT Core', seen, {
            missing: () => ok('devices at IoT Core', 'there are none'),
            found: (three) => judgeDifferences(differencesOf(three)),
        }),
    ];
}

function judgeDifferences(differences: readonly Difference[]): readonly Finding[] {
    const check = 'devices at IoT Core';
    const told = differences.slice(0, MOST_TOLD).map(({ device, isGrave, what, todo }) => {
        const found = `device ${device} ${what}`;
        return isGrave ? problem(check, found, todo) : warning(check, found, todo);
    });
    const more = differences.length - told.length;
    const rest = more > 0 ? [warning(check, `and ${more} more`, 'flowlake device list --compare')] : [];
    return orOk(check, [...told, ...rest], 'registry, credentials and IoT Core say the same');
}
