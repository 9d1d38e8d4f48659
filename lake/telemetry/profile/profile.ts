/** A profile: how the messages of a kind of device are read. docs/profiles.md teaches the language. */
import { UsageError } from '#lake/errors';
import type { Message } from '../message.ts';
import type { MessageOutcome } from '../reading.ts';
import type { DerivingRules } from '../rules.ts';
import { type Fault, faultsOfForm, isProfileDocument } from './check.ts';
import type { ProfileDocument } from './document.ts';
import { faultsOfMeaning } from './meaning.ts';
import { type MessageReader, openReader } from './reader.ts';
import { type MetricFacts, rulesOf } from './rules-of.ts';

export interface Profile {
    name: string;
    document: ProfileDocument;
    rules: DerivingRules;
    /** What is known of a metric's name: kind, unit, digits. */
    factsOf(metric: string): MetricFacts | undefined;
    /** A reader for the messages of one source, in their order. Profiles for Sparkplug keep its births. */
    open(): MessageReader;
}

/** Reads one message by itself, as `open().read()` does for a source's first one. */
export function readMessage(profile: Profile, message: Message): MessageOutcome {
    return profile.open().read(message);
}

/** All that is wrong with a document; none if `parseProfile` takes it. */
export function faultsOf(document: unknown): Fault[] {
    return isProfileDocument(document) ? faultsOfMeaning(document) : faultsOfForm(document);
}

/** The profile that a document says. @throws UsageError that names each fault and what to type. */
export function parseProfile(document: unknown): Profile {
    if (!isProfileDocument(document)) {
        throw refusal(document, faultsOfForm(document));
    }
    const faults = faultsOfMeaning(document);
    if (faults.length > 0) {
        throw refusal(document, faults);
    }
    const { factsOf, ...rules } = rulesOf(document);
    return { name: document.name, document, rules, factsOf, open: () => openReader(document) };
}

function refusal(document: unknown, faults: readonly Fault[]): UsageError {
    const name = typeof document === 'object' && document !== null && 'name' in document ? ` ${JSON.stringify(document.name)}` : '';
    const list = faults.map(({ path, why }) => `  ${path === '' ? 'the profile' : path} ${why}`).join('\n');
    return new UsageError(`The profile${name} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${list}`);
}
