/**
 * Which topics are a device's own: `t/<device>` and all below it, and those that its profile names with the device's id in them. The policy of a device on AWS
 * says the same. What a device publishes elsewhere is put aside.
 */
import { parseTopicPattern, type TopicPattern } from '#lake/telemetry/profile/paths';

/** A topic pattern of a profile that says where the device's id stands. */
export interface DevicePattern {
    pattern: TopicPattern;
    /** Name of the capture that is the device's id. */
    name: string;
}

/**
 * The patterns of a profile that name the device: those with a part `{device}`, or with the part that the profile's `device` is the text of
 * (`"device": {"text": "{id}"}`). Others are nobody's own: any device could write to them as any other.
 */
export function devicePatternsOf(profile: unknown): DevicePattern[] {
    const { topics, device } = fieldsOf(profile);
    const places: unknown[] = Array.isArray(device) ? device : [device];
    const named = places.flatMap((place) => /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(textOf(fieldsOf(place).text))?.[1] ?? []);
    return (Array.isArray(topics) ? topics : []).flatMap((topic: unknown) => {
        const pattern = parseTopicPattern(textOf(topic));
        const name = ['device', ...named].find((one) => pattern.captures.includes(one));
        return name === undefined ? [] : [{ pattern, name }];
    });
}

/** True if the topic is the device's own. */
export function isOwnTopic(topic: string, { device, patterns }: { device: string; patterns: readonly DevicePattern[] }): boolean {
    return (
        topic === `t/${device}` ||
        topic.startsWith(`t/${device}/`) ||
        (!isReserved(topic) && patterns.some(({ pattern, name }) => pattern.match(topic)?.[name] === device))
    );
}

/** Topics of the device's own, to send to: of its profile where that names topics, with a name for each part that it leaves open. */
export function topicsFor(device: string, profile: unknown): string[] {
    const named = devicePatternsOf(profile).map(({ pattern, name }) =>
        pattern.text
            .replace(new RegExp(`\\{${name}#?\\}`, 'g'), device)
            .replace(/\{([A-Za-z][A-Za-z0-9_]*)#?\}/g, '$1')
            .replace(/[+#]/g, 'x'),
    );
    return [...named, `t/${device}`].filter((topic) => isOwnTopic(topic, { device, patterns: devicePatternsOf(profile) }));
}

/** True if a device may subscribe to the filter: to what is below its own topics, and to commands for it. */
export function mayReceive(filter: string, device: string): boolean {
    return ['t', 'cmd'].some((root) => filter === `${root}/${device}` || filter.startsWith(`${root}/${device}/`));
}

/** Trees that are given out by device id, whatever a profile says of them. */
function isReserved(topic: string): boolean {
    return /^(?:\$|t\/|cmd\/)/.test(topic);
}

function textOf(value: unknown): string {
    return typeof value === 'string' ? value : '';
}

function fieldsOf(value: unknown): Record<string, unknown> {
    return typeof value === 'object' && value !== null ? { ...value } : {};
}
