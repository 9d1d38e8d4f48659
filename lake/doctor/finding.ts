/** What a look at a lake finds: one row for each check, or for each thing that is wrong with it. */
import { asStorageError, awsCodeOf } from '#lake/aws/aws-errors';
import { StorageError } from '#lake/errors';

export interface Finding {
    /** What was looked at: `bucket versioning`, `table pair_days`. */
    check: string;
    /** How the check came out. `warning`: it works, but not as it should. `could not check`: neither right nor wrong is known. */
    result: 'ok' | 'warning' | 'problem' | 'could not check';
    found: string;
    /** What helps; null where nothing has to be done. */
    todo: string | null;
}

/** What the world says when it is asked. That something is missing and that it could not be read are different answers. */
export type Answer<T> = { kind: 'found'; value: T } | { kind: 'missing' } | { kind: 'unreadable'; code: string | undefined; why: string };

export interface AskOptions {
    /** The question, for the message: `read the tags of bucket x`. */
    doing: string;
    /** True if an error is the answer that there is nothing of the kind. */
    isMissing?: (error: Error) => boolean;
}

/** The answer, whatever it is. @throws what is no answer: an error of the program */
export async function ask<T>(question: () => Promise<T>, { doing, isMissing = () => false }: AskOptions): Promise<Answer<T>> {
    try {
        return { kind: 'found', value: await question() };
    } catch (error) {
        if (error instanceof Error && isMissing(error)) {
            return { kind: 'missing' };
        }
        const known = asStorageError(error, { doing });
        if (!(known instanceof StorageError)) {
            throw known;
        }
        return { kind: 'unreadable', code: awsCodeOf(error), why: known.message };
    }
}

export function ok(check: string, found: string): Finding {
    return { check, result: 'ok', found, todo: null };
}

export function warning(check: string, found: string, todo: string): Finding {
    return { check, result: 'warning', found, todo };
}

export function problem(check: string, found: string, todo: string): Finding {
    return { check, result: 'problem', found, todo };
}

/** The findings on an answer: `missing` is what it means that there is nothing, `found` judges what there is. */
export function judge<T>(
    check: string,
    answer: Answer<T>,
    { missing, found }: { missing: () => Finding; found: (value: T) => readonly Finding[] },
): readonly Finding[] {
    switch (answer.kind) {
        case 'found':
            return found(answer.value);
        case 'missing':
            return [missing()];
        default:
            return [
                {
                    check,
                    result: 'could not check',
                    found: answer.code === undefined ? 'not known' : `not known (${answer.code})`,
                    todo: answer.why,
                },
            ];
    }
}

/** The findings `wrong`; where there are none, one that says what is well. */
export function orOk(check: string, wrong: readonly Finding[], found: string): readonly Finding[] {
    return wrong.length > 0 ? wrong : [ok(check, found)];
}
