/** The profiles that one reading of a source uses, each in the version that holds when the reading first asks for it. */
import type { Input, SourceBytes } from '#lake/kind';
import { parseProfile } from '../profile/profile.ts';
import { asList } from '../profile/tokens.ts';
import type { OpenProfile } from './messages-taken.ts';

export class OpenProfiles {
    readonly #source: Pick<SourceBytes, 'input'>;
    readonly #open = new Map<string, OpenProfile | undefined>();
    #wanted: string | undefined;

    constructor(source: Pick<SourceBytes, 'input'>) {
        this.#source = source;
    }

    /** The profile of that name; undefined where the lake has none. */
    async open(name: string): Promise<OpenProfile | undefined> {
        if (!this.#open.has(name)) {
            const input = await this.#source.input(name);
            this.#open.set(name, input && openProfile(name, input));
        }
        return this.#open.get(name);
    }

    /** The profile if it has been asked for before; else it will have been after `openWanted`. */
    find(name: string): { profile: OpenProfile | undefined } | undefined {
        if (this.#open.has(name)) {
            return { profile: this.#open.get(name) };
        }
        this.#wanted = name;
        return undefined;
    }

    /** Opens the profile that `find` did not find. */
    async openWanted(): Promise<void> {
        const name = this.#wanted;
        this.#wanted = undefined;
        if (name !== undefined) {
            await this.open(name);
        }
    }

    /** The profiles that were there, with their versions, by name: `thermostat@3`. */
    said(): string[] {
        return [...this.#open.values()].flatMap((profile) => (profile ? [`${profile.name}@${profile.version}`] : [])).sort();
    }
}

function openProfile(name: string, { version, document }: Input): OpenProfile {
    const profile = parseProfile(document);
    const reader = profile.open();
    const { decoder = 'json', each } = profile.document;
    const isEach = each !== undefined && asList(each).includes('[]');
    const lists = decoder.startsWith('senml') ? 'pack' : isEach ? 'messages' : undefined;
    return { name, version, readInto: (message, sink) => reader.readInto(message, sink), lists };
}
